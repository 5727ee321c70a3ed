/// <reference lib="dom" />
import type { IterationReport } from "../../src/train/iteration/report.ts";
import type { TrainingCalls, TrainingProgress } from "../worker/calls.ts";
import { Remote } from "../worker/remote.ts";
import { element, NumberField, StatusLine } from "./elements.ts";
import { LineChart } from "./line_chart.ts";
import { Task } from "./task.ts";
import { Tiles } from "./tiles.ts";

/** The digits, the only data set that the page trains on. */
const digitSize = { height: 8, width: 8, channels: 1 };

const notBegun = "Training has not begun";

/** Training from scratch, in a worker. */
export class TrainView {
  readonly #fields = {
    iterations: new NumberField("train-iterations"),
    batch: new NumberField("train-batch"),
    steps: new NumberField("train-steps"),
    learningRate: new NumberField("train-rate"),
    rho: new NumberField("train-rho"),
    seed: new NumberField("train-seed"),
  };
  readonly #status = new StatusLine("train-status");
  readonly #losses = new LineChart(element("loss-curve", HTMLCanvasElement));
  readonly #energies = new LineChart(element("energy-curve", HTMLCanvasElement));
  readonly #samples = new Tiles(element("train-samples", HTMLCanvasElement));
  readonly #use = element("train-use", HTMLButtonElement);
  #remote: Remote<TrainingCalls> | undefined;
  #reports: IterationReport[] = [];
  #trained: Uint8Array<ArrayBuffer> | undefined;

  /** @param useModel opens a trained model in the page */
  constructor(useModel: (name: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>) {
    new Task("train-form", "train-run", this.#status, (signal) => this.#run(signal));
    this.#use.addEventListener("click", () => {
      if (this.#trained) void useModel("trained-here.safetensors", this.#trained);
    });
    this.#draw(this.#fields.iterations.value);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { iterations, batch, steps, learningRate, rho, seed } = this.#fields;
    const settings = {
      iterations: iterations.value,
      batch: batch.value,
      steps: steps.value,
      learningRate: learningRate.value,
      rho: rho.value,
      seed: seed.value,
    };
    this.#reports = [];
    this.#figure("test", "–");
    this.#draw(settings.iterations);
    this.#status.show("Compiling shaders …");
    this.#remote ??= new Remote(
      new Worker(new URL("training_worker.js", import.meta.url), { type: "module" }),
    );
    const onProgress = (progress: TrainingProgress) => this.#follow(progress, settings.iterations);
    const result = await this.#remote.call("train", settings, { onProgress, signal });
    this.#trained = result.model;
    this.#use.disabled = false;
    this.#figure("test", percent(result.testAccuracy));
    this.#figure("left", "–");
    this.#status.show(
      result.iterations < settings.iterations ? `stopped at ${result.iterations}` : "done",
    );
  }

  #follow(progress: TrainingProgress, iterations: number): void {
    this.#reports.push(...progress.reports);
    this.#samples.show(progress.samples, digitSize);
    this.#figure("iteration", `${this.#reports.length}/${iterations}`);
    this.#figure("accuracy", percent(this.#reports.at(-1)?.accuracy ?? NaN));
    if (progress.testAccuracy !== undefined) this.#figure("test", percent(progress.testAccuracy));
    this.#figure("speed", progress.imagesPerSecond.toFixed(0));
    this.#figure("left", duration(progress.secondsLeft));
    this.#status.show("");
    this.#draw(iterations);
  }

  #draw(iterations: number): void {
    const values = (field: keyof IterationReport, sign = 1) =>
      this.#reports.map((report) => sign * report[field]);
    const last = (values: readonly number[]) => values.at(-1)!.toFixed(3);
    const begun = this.#reports.length > 0;
    const crossEntropy = values("crossEntropy");
    const real = values("realScore", -1);
    const generated = values("generatedScore", -1);
    this.#losses.show(
      {
        lines: [
          { values: values("secondCrossEntropy"), colour: "--two" },
          { values: crossEntropy, colour: "--one" },
        ],
        last: iterations,
      },
      begun ? `Cross-entropy: ${last(crossEntropy)}` : notBegun,
    );
    this.#energies.show(
      {
        lines: [{ values: generated, colour: "--two" }, { values: real, colour: "--one" }],
        last: iterations,
      },
      begun ? `Energy of real digits: ${last(real)}, of samples: ${last(generated)}` : notBegun,
    );
  }

  #figure(name: string, text: string): void {
    element(`train-${name}`, HTMLElement).textContent = text;
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
