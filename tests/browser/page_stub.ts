/// <reference lib="dom" />
import type { Page } from "playwright-core";
import { waitForText } from "./page_helpers.ts";

/**
 * From its next load on, the page talks to a worker that computes nothing, so that tests can look at the page without
 * waiting. The worker opens every file as a model of digits. It opens a file whose name begins with `slow` only when
 * {@link releaseSlow} allows it, and refuses a file or picture whose text begins with `damaged`. A file whose name begins
 * with `colour` is a model of colour pictures, whose training images the page does not have. The content of a saved model is
 * the name of the open one. Chains and training runs go on until they are stopped.
 */
export async function stubWorkers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const gpu = { requestAdapter: () => Promise.resolve({}) };
    Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
    const slow = Promise.withResolvers<void>();
    Object.assign(globalThis, { releaseSlow: slow.resolve });
    const classNames = [..."0123456789"];
    const summary = {
      ...{ network: "WRN-10-1", parameters: 77963, classNames, height: 8, width: 8, channels: 1 },
      ...{
        adapter: "stub",
        starts: ["informative", "buffer", "noise"],
        steps: 5,
        samplingSteps: undefined,
        stepSize: 1,
        noiseScale: 0.01,
      },
      reference: {
        densities: Float32Array.from({ length: 1437 }, (_, i) => 4 + 3 * Math.cbrt(i / 718 - 1)),
        ...{ quantile: 0.05, threshold: 1.1, testShare: 0.083 },
      },
    };
    const noise = (count: number) => Float32Array.from({ length: count }, () => 2 * Math.random() - 1);
    const colour = { height: 32, width: 32, channels: 3, reference: undefined };
    const pixels = () => used.startsWith("colour") ? 32 * 32 * 3 : 64;
    const whole = async (file: Blob) => {
      if ((await file.text()).startsWith("damaged")) throw new Error("it is damaged");
    };
    type Input = { name: string; file: Blob };
    let [opened, used] = ["", ""];
    const answers: Record<string, (input: unknown, report: (progress: unknown) => void) => unknown> = {
      open: async (input) => {
        const { name, file } = input as Input;
        if (name.startsWith("slow")) await slow.promise;
        await whole(file);
        opened = name;
        return { ...summary, name, ...(name.startsWith("colour") ? colour : {}) };
      },
      use: () => used = opened,
      export: () => new TextEncoder().encode(used),
      sample: (_, report) => {
        for (let step = 0; step < 9; step++) {
          const densities = Float32Array.from({ length: 64 }, () => step / 2 + Math.random());
          report({ step, images: noise(64 * pixels()), densities });
        }
        return new Promise(() => {});
      },
      assess: () => ({
        probabilities: Float32Array.from(classNames, (_, i) => (i + 1) / 55),
        logDensity: 3.21,
      }),
      testImage: () => ({ image: noise(64), label: 3 }),
      picture: async (input) => {
        await whole((input as Input).file);
        return noise(pixels());
      },
      attack: (_, report) => {
        for (let step = 0; step <= 20; step++) {
          const probabilities = Float32Array.from(
            classNames,
            (_, i) => i === 9 ? 1 - step / 20 : step / 180,
          );
          report({ step, image: noise(pixels()), probabilities, logDensity: 3 - step / 10 });
        }
      },
      train: () => new Promise(() => {}),
    };
    globalThis.Worker = class extends EventTarget {
      postMessage({ id, name, input }: { id: number; name?: string; input?: unknown }): void {
        const send = (data: unknown) => this.dispatchEvent(new MessageEvent("message", { data }));
        if (name === undefined) return void send({ id, result: 8 });
        void Promise.resolve()
          .then(() => answers[name]!(input, (progress) => send({ id, progress })))
          .then((result) => send({ id, result }))
          .catch(({ name, message }: Error) => send({ id, error: { name, message } }));
      }
    } as unknown as typeof Worker;
  });
}

/** Loads the page with the stub in place of its workers, and waits for the model. */
export async function loadStubbed(page: Page, origin: string): Promise<void> {
  page.setDefaultTimeout(60_000);
  await stubWorkers(page);
  await page.goto(`${origin}/`);
  await waitForText(page, "#model-line", /^digits\.safetensors: WRN-10-1/);
}

/** Lets the stub open the models whose names begin with `slow`. */
export async function releaseSlow(page: Page): Promise<void> {
  await page.evaluate(() => (globalThis as unknown as { releaseSlow(): void }).releaseSlow());
}
