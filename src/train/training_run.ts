import { type Dataset, selectImages } from "../data/dataset.ts";
import { DeviceImages } from "../data/device_images.ts";
import { expectedCalibrationError } from "../evaluate/calibration.ts";
import { accuracyAndLoss, classifyImages } from "../evaluate/classification.ts";
import type { Interval } from "../evaluate/proportion.ts";
import { imageGrid } from "../formats/image_grid.ts";
import { encodePng } from "../formats/png.ts";
import { encodeCheckpoint, encodeModel } from "./checkpoint.ts";
import type { Configuration } from "./configuration.ts";
import { writeAtomically } from "./files.ts";
import { Pace } from "./pace.ts";
import type { RunDirectory } from "./run_directory.ts";
import type { IterationReport, Trainer } from "./trainer.ts";

/** Bins of the calibration error, as the official code reports it. */
const calibrationBins = 20;
/** Images in a picture of samples. */
const sampleCount = 100;
/** Time between two reports to the caller, in milliseconds: reading back costs about 11 ms of waiting each time. */
const reportInterval = 1000;

/** Accuracy, mean cross-entropy (nats) and expected calibration error on the test set. */
export interface TestResult {
  readonly testAccuracy: number;
  /** 95 % interval of the accuracy. */
  readonly testAccuracyInterval: Interval;
  readonly testImages: number;
  readonly testLoss: number;
  readonly ece: number;
}

/** The best model so far on the images that were held out. */
interface Best {
  readonly iteration: number;
  readonly accuracy: number;
}

/** What a finished run leaves in `summary.json`. */
export interface Summary extends TestResult {
  readonly iterations: number;
  /** Time of training since this process started, without the final evaluation. */
  readonly seconds: number;
  readonly seed: number;
  readonly adapter: string;
  /** Where the model in `best.safetensors` comes from, if images were held out. */
  readonly best?: Best;
}

/** Where a run stands. */
export interface Progress {
  readonly report: IterationReport;
  readonly iterations: number;
  /** Labelled images and images of the likelihood, per second. */
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

/** What a run tells while it goes on. */
export interface RunListener {
  filling(made: number, total: number): void;
  progress(progress: Progress): void;
  /** @param set what the evaluation used: the test set, or the images that were held out */
  tested(iteration: number, result: TestResult, set: "test" | "validation"): void;
}

/** How far a run goes. */
export interface RunLimits {
  /** Stop and save after so many more iterations. */
  readonly stopAfter?: number | undefined;
  /** Stop and save when it aborts. */
  readonly signal: AbortSignal;
}

/** A training run with its directory: trains, reports, saves, evaluates. */
export class TrainingRun {
  readonly trainer: Trainer;
  readonly #configuration: Configuration;
  readonly #dataset: Dataset;
  readonly #directory: RunDirectory;
  readonly #listener: RunListener;
  readonly #testImages: DeviceImages;
  readonly #validationImages: DeviceImages | undefined;
  #best: Best | undefined;

  constructor(
    trainer: Trainer,
    configuration: Configuration,
    dataset: Dataset,
    directory: RunDirectory,
    listener: RunListener,
  ) {
    this.trainer = trainer;
    this.#configuration = configuration;
    this.#dataset = dataset;
    this.#directory = directory;
    this.#listener = listener;
    const { context } = trainer.model;
    const { validation } = trainer.subsets;
    this.#testImages = new DeviceImages(context, dataset, dataset.test);
    if (validation.length > 0) {
      this.#validationImages = new DeviceImages(
        context,
        dataset,
        selectImages(dataset.train, validation),
      );
    }
  }

  /**
   * Trains until the run is complete or a limit is reached, and saves a checkpoint.
   * @returns the summary, or undefined if the run is not complete yet.
   * @throws {DivergenceError} if training diverges; the checkpoints saved before stay.
   */
  async run({ stopAfter, signal }: RunLimits): Promise<Summary | undefined> {
    const { trainer } = this;
    const began = performance.now();
    if (trainer.iteration === 0) {
      const total = this.#configuration.bufferSize;
      await trainer.fillReplayBuffer((made) => this.#listener.filling(made, total));
    }
    const last = Math.min(trainer.iterations, trainer.iteration + (stopAfter ?? Infinity));
    const pace = new Pace(trainer.iteration, reportInterval);
    while (trainer.iteration < last && !signal.aborted) {
      await trainer.advance();
      const due = pace.due(trainer.iteration) || trainer.iteration === last;
      const milestones = this.#milestones(trainer.iteration);
      if (!due && !milestones.any) continue;
      await this.#report(pace);
      if (milestones.checkpoint) await this.#saveCheckpoint();
      if (milestones.samples) await this.#saveSamples();
      if (milestones.test) await this.#evaluate();
    }
    const seconds = (performance.now() - began) / 1000;
    await this.#report(pace);
    await this.#saveCheckpoint();
    await this.#saveSamples();
    return trainer.iteration < trainer.iterations ? undefined : await this.#finish(seconds);
  }

  async #finish(seconds: number): Promise<Summary> {
    const { trainer } = this;
    const model = await encodeModel(trainer, this.#configuration, this.#dataset);
    await writeAtomically(this.#directory.file("model.safetensors"), model);
    if (this.#validationImages) await this.#evaluate();
    const result = await this.#test(this.#testImages);
    const summary: Summary = {
      ...result,
      iterations: trainer.iteration,
      seconds,
      seed: this.#configuration.seed,
      adapter: trainer.model.context.gpu.adapterName,
      ...(this.#best && { best: this.#best }),
    };
    await this.#directory.writeJson("summary.json", summary);
    return summary;
  }

  #milestones(iteration: number) {
    const at = (every: number) => every > 0 && iteration % every === 0 && iteration < this.trainer.iterations;
    const { checkpointEvery, samplesEvery, evaluateEvery } = this.#configuration;
    const [checkpoint, samples, test] = [at(checkpointEvery), at(samplesEvery), at(evaluateEvery)];
    return { checkpoint, samples, test, any: checkpoint || samples || test };
  }

  async #report(pace: Pace): Promise<void> {
    const { trainer } = this;
    const reports = await trainer.fetchReports();
    const report = reports.at(-1);
    if (!report) return;
    await this.#directory.appendMetrics(reports);
    const iterationsPerSecond = pace.measured(trainer.iteration);
    const { likelihoodWeight, likelihoodBatch, labelledBatch } = this.#configuration;
    this.#listener.progress({
      report,
      iterations: trainer.iterations,
      imagesPerSecond: iterationsPerSecond * (labelledBatch + (likelihoodWeight > 0 ? likelihoodBatch : 0)),
      secondsLeft: (trainer.iterations - trainer.iteration) / iterationsPerSecond,
    });
  }

  async #saveCheckpoint(): Promise<void> {
    const { trainer } = this;
    const bytes = await encodeCheckpoint(trainer, this.#configuration, this.#dataset);
    await this.#directory.writeCheckpoint(trainer.iteration, bytes, this.#configuration.keepCheckpoints);
  }

  /** Pictures entries from all over the replay buffer. */
  async #saveSamples(): Promise<void> {
    const { sampler, iteration } = this.trainer;
    if (!sampler) return;
    const { capacity, pixels, shape: [height, width, channels] } = sampler.buffer;
    const all = await sampler.buffer.images.read();
    const count = Math.min(sampleCount, capacity);
    const images = new Float32Array(count * pixels);
    for (let i = 0; i < count; i++) {
      const entry = Math.floor(i * capacity / count);
      images.set(all.subarray(entry * pixels, (entry + 1) * pixels), i * pixels);
    }
    const png = encodePng(imageGrid(images, { count, height, width, channels }));
    const name = `samples/${String(iteration).padStart(8, "0")}.png`;
    await writeAtomically(this.#directory.file(name), png);
  }

  /** Evaluates on the images that were held out, keeping the best model, as the official code does; else on the test set. */
  async #evaluate(): Promise<void> {
    const { iteration } = this.trainer;
    const result = await this.#test(this.#validationImages ?? this.#testImages);
    this.#listener.tested(iteration, result, this.#validationImages ? "validation" : "test");
    if (!this.#validationImages) return;
    this.#best ??= await this.#directory.readJson<Best>("best.json");
    if (this.#best && result.testAccuracy <= this.#best.accuracy) return;
    this.#best = { iteration, accuracy: result.testAccuracy };
    const model = await encodeModel(this.trainer, this.#configuration, this.#dataset);
    await writeAtomically(this.#directory.file("best.safetensors"), model);
    await this.#directory.writeJson("best.json", this.#best);
  }

  async #test(images: DeviceImages): Promise<TestResult> {
    const classified = await classifyImages(this.trainer.model, images);
    const { accuracy, accuracyInterval, loss } = accuracyAndLoss(classified);
    const { value } = expectedCalibrationError(classified.logits, classified.labels, calibrationBins);
    return {
      testAccuracy: accuracy,
      testAccuracyInterval: accuracyInterval,
      testImages: images.count,
      testLoss: loss,
      ece: value,
    };
  }
}
