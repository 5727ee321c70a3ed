/// <reference lib="dom" />
import type { ChainStart } from "../../src/train/chain_starts.ts";
import type { ChainFrame, LiveSettings, ModelSummary, Reference } from "../worker/calls.ts";
import { Choice, element, NumberField, Slider, StatusLine } from "./elements.ts";
import { LineChart } from "./line_chart.ts";
import type { ModelView, PageModel } from "./model.ts";
import { Task } from "./task.ts";
import { Tiles } from "./tiles.ts";

const chainCount = 64;
/** Chains whose energy has its own line, evenly chosen. */
const drawnChains = 16;

const startNames: Readonly<Record<ChainStart, string>> = {
  noise: "noise",
  informative: "class Gaussians",
  buffer: "replay buffer",
};

/** Chains that turn noise into images. */
export class SampleView implements ModelView {
  readonly #model: PageModel;
  readonly #tiles = new Tiles(element("chains", HTMLCanvasElement));
  readonly #chart = new LineChart(element("chain-curve", HTMLCanvasElement));
  readonly #status = new StatusLine("chain-status");
  readonly #class = new Choice<number | undefined>("class-choice");
  readonly #start = new Choice<ChainStart>("start-choice", () => this.#hint());
  readonly #seed = new NumberField("chain-seed");
  readonly #steps = new Slider("chain-steps", 0);
  readonly #stepSize = new Slider("chain-alpha", 2, () => this.#adjust());
  readonly #noise = new Slider("chain-sigma", 3, () => this.#adjust());
  readonly #task: Task;
  /** E(x) of each chain with a line, then their mean, over the steps. */
  #energies: number[][] = [];

  constructor(model: PageModel) {
    this.#model = model;
    this.#task = new Task("chain-form", "chain-run", this.#status, (signal) => this.#run(signal));
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  show({ classNames, starts, steps, samplingSteps, stepSize, reference }: ModelSummary): void {
    this.#class.set([["any", undefined], ...classNames.map((name, i) => [name, i] as const)]);
    this.#start.set(starts.map((start) => [startNames[start], start]));
    // Small steps can be watched, but chains that need many have to take large ones.
    this.#steps.value = samplingSteps ?? Math.max(60, steps);
    this.#stepSize.value = samplingSteps === undefined ? 0.1 : stepSize;
    this.#noise.value = 0;
    this.#hint();
    element("chain-band", HTMLElement).hidden = !reference;
    element("chain-run", HTMLButtonElement).disabled = false;
    this.#energies = [];
    this.#tiles.clear();
    this.#draw();
    this.#status.show("");
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.#task.start();
  }

  get #live(): LiveSettings {
    return { stepSize: this.#stepSize.value, noiseScale: this.#noise.value };
  }

  #hint(): void {
    element("noise-hint", HTMLElement).hidden = this.#start.value !== "noise";
  }

  #adjust(): void {
    if (this.#task.running) void this.#model.remote.call("adjust", this.#live);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const steps = this.#steps.value;
    this.#energies = Array.from({ length: drawnChains + 1 }, () => []);
    this.#status.show("Compiling shaders …");
    const settings = {
      ...this.#live,
      steps,
      start: this.#start.value,
      label: this.#class.value,
      count: chainCount,
      seed: this.#seed.value,
    };
    const onProgress = (frame: ChainFrame) => this.#follow(frame, steps);
    const done = await this.#model.remote.call("sample", settings, { onProgress, signal });
    this.#status.show(`${done} ${done === 1 ? "step" : "steps"}`);
  }

  #follow({ step, images, densities }: ChainFrame, steps: number): void {
    this.#tiles.show(images, this.#model.current);
    for (let i = 0; i < drawnChains; i++) {
      this.#energies[i]!.push(-densities[Math.floor(i * chainCount / drawnChains)]!);
    }
    this.#energies[drawnChains]!.push(-densities.reduce((sum, density) => sum + density, 0) / chainCount);
    this.#draw(steps);
    this.#status.show(`step ${step}/${steps}`);
  }

  #draw(steps = this.#steps.value): void {
    const mean = this.#energies.at(-1) ?? [];
    this.#chart.show(
      {
        lines: this.#energies.map((values, i) =>
          i < drawnChains ? { values, colour: "--faint", width: 1 } : { values, colour: "--one", width: 2 }
        ),
        last: steps,
        band: bandOf(this.#model.current.reference),
      },
      mean.length === 0
        ? "No chains have run yet"
        : `Mean energy of the chains: ${mean[0]!.toFixed(2)} at the start, ${mean.at(-1)!.toFixed(2)} now`,
    );
  }
}

/** Energies of the training images without the outer 5 % on either side. */
function bandOf(reference: Reference | undefined): { low: number; high: number } | undefined {
  if (!reference) return undefined;
  const { densities } = reference;
  const at = (share: number) => -densities[Math.floor(share * densities.length)]!;
  return { low: at(0.95), high: at(0.05) };
}
