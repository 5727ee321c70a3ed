import { type Dataset, selectImages } from "../data/dataset.ts";
import { DeviceImages } from "../data/device_images.ts";
import { expectedCalibrationError } from "../evaluate/calibration.ts";
import { accuracyAndLoss, classifyImages } from "../evaluate/classification.ts";
import { SadaJemError } from "../errors.ts";
import { imageGrid } from "../formats/pictures/image_grid.ts";
import { encodePng } from "../formats/pictures/png.ts";
import { encodeCheckpoint, encodeModel } from "./checkpoint/checkpoint.ts";
import type { Configuration } from "./configuration.ts";
import { exists, jsonText } from "./run/files.ts";
import { guessingWarning } from "./recovery/guessing.ts";
import { type Sign, watch } from "./recovery/health.ts";
import { Pace } from "./pace.ts";
import { type Attempt, withAttempts } from "./recovery/recovery.ts";
import { rollBack } from "./recovery/rollback.ts";
import type { RunDirectory } from "./run/run_directory.ts";
import type { Best } from "./checkpoint/run_record.ts";
import type { TestResult } from "./test_result.ts";
import type { IterationReport } from "./iteration_report.ts";
import type { Trainer } from "./trainer.ts";

/** Bins of the calibration error, as the official code reports it. */
const calibrationBins = 20;
/** Images in a picture of samples. */
const sampleCount = 100;
/** Time between two reports to the caller, in milliseconds: reading back costs about 11 ms of waiting each time. */
const reportInterval = 1000;

/** What a finished run leaves in `summary.json`. */
export interface Summary extends TestResult {
  readonly iterations: number;
  /** Time of training since this process started, without the final evaluation. */
  readonly seconds: number;
  readonly seed: number;
  readonly adapter: string;
  /** What was done about divergence. */
  readonly recoveries: readonly Attempt[];
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
  /** Since when the run has shown early signs of divergence, if it does. */
  readonly leaningSince: number | undefined;
}

/** What a run tells while it goes on. */
export interface RunListener {
  filling(made: number, total: number): void;
  progress(progress: Progress): void;
  /** The run goes back to an earlier checkpoint, since it showed signs of divergence. */
  recovering(attempt: Attempt): void;
  /** @param set what the evaluation used: the test set, or the images that were held out */
  tested(iteration: number, result: TestResult, set: "test" | "validation"): void;
  /** A line that the user should see. */
  note(line: string): void;
}

/** How far a run goes. */
export interface RunLimits {
  /** Stop and save after this many more iterations. */
  readonly stopAfter?: number | undefined;
  /** Stop and save when it aborts. */
  readonly signal: AbortSignal;
  /** When training began, on the clock of `performance.now()`, if it goes on after the loss of a GPU; by default now. */
  readonly began?: number;
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
  readonly #note: (line: string) => void;
  readonly #noteProblem: (error: unknown) => undefined;
  /** The iteration of the last checkpoint, and when it was written. */
  #saved = { iteration: -1, at: performance.now() };
  /** The iteration of the last picture. */
  #pictured = -1;

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
    this.#note = (line) => listener.note(line);
    this.#noteProblem = (error) => {
      if (!(error instanceof SadaJemError)) throw error;
      listener.note(`warning: ${error.message}`);
    };
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
   * @throws {DivergenceError} if training diverges and cannot be recovered; checkpoints from before stay.
   */
  async run({ stopAfter, signal, began = performance.now() }: RunLimits): Promise<Summary | undefined> {
    const { trainer } = this;
    const finished = await this.#finishedBefore();
    if (finished) return finished;
    if (trainer.iteration === 0) {
      const total = this.#configuration.bufferSize;
      await trainer.fillReplayBuffer((made) => this.#listener.filling(made, total), signal);
      // Nothing has been learnt yet, and a run without a checkpoint begins anew.
      if (signal.aborted) return undefined;
      await this.#saveCheckpoint();
    } else if (this.#milestones(trainer.iteration).samples) {
      await this.#makeUpSamples();
    }
    this.#saved = { iteration: trainer.iteration, at: performance.now() };
    const last = Math.min(trainer.iterations, trainer.iteration + (stopAfter ?? Infinity));
    const pace = new Pace(trainer.iteration, reportInterval);
    while (trainer.iteration < last && !signal.aborted) {
      await trainer.advance();
      const due = pace.due(trainer.iteration) || trainer.iteration === last;
      const milestones = this.#milestones(trainer.iteration);
      if (!due && !milestones.any) continue;
      await this.#directory.requireHeld();
      if (!await this.#report(pace)) continue;
      // The checkpoint comes last: whatever is missing when the process ends before it is made again.
      if (milestones.samples) await this.#saveSamples();
      if (milestones.test) await this.#evaluate();
      if (milestones.checkpoint) await this.#saveCheckpoint();
    }
    const seconds = (performance.now() - began) / 1000;
    await this.#directory.requireHeld();
    await this.#report(pace);
    if (this.#pictured !== trainer.iteration) await this.#saveSamples();
    const isComplete = trainer.iteration >= trainer.iterations;
    if (isComplete && this.#validationImages) await this.#evaluate();
    if (this.#saved.iteration !== trainer.iteration) await this.#saveCheckpoint();
    return isComplete ? await this.#finish(seconds) : undefined;
  }

  /** The summary of a run that is complete, whose model is written again if it is missing or damaged. */
  async #finishedBefore(): Promise<Summary | undefined> {
    const { iteration, iterations } = this.trainer;
    if (iteration < iterations) return undefined;
    const summary = await this.#directory.readJson<Summary>("summary.json").catch(this.#noteProblem);
    if (summary?.iterations !== iteration) return undefined;
    if (!await this.#directory.holdsModel(iteration)) await this.#saveModel();
    return summary;
  }

  async #saveModel(): Promise<void> {
    const model = await encodeModel(this.trainer, this.#configuration, this.#dataset);
    await this.#directory.writePersistently("model.safetensors", model, this.#note);
  }

  async #finish(seconds: number): Promise<Summary> {
    const { trainer } = this;
    await this.#saveModel();
    const best = this.#directory.best.noted;
    const result = await this.#test(this.#testImages);
    const warning = this.#configuration.classificationWeight > 0 && guessingWarning(this.#dataset, result);
    if (warning) this.#listener.note(`warning: ${warning}`);
    const summary: Summary = {
      ...result,
      iterations: trainer.iteration,
      seconds,
      seed: this.#configuration.seed,
      adapter: trainer.model.context.gpu.adapterName,
      recoveries: trainer.recovery.attempts,
      ...(best && { best }),
    };
    await this.#directory.writePersistently("summary.json", jsonText(summary), this.#note);
    return summary;
  }

  #milestones(iteration: number) {
    const isLast = iteration >= this.trainer.iterations;
    const at = (every: number) => every > 0 && iteration % every === 0 && !isLast;
    const { checkpointEvery, checkpointMinutes, samplesEvery, evaluateEvery } = this.#configuration;
    const minutes = (performance.now() - this.#saved.at) / 60_000;
    const checkpoint = at(checkpointEvery) ||
      (checkpointMinutes > 0 && minutes >= checkpointMinutes && !isLast);
    const [samples, test] = [at(samplesEvery), at(evaluateEvery)];
    return { checkpoint, samples, test, any: checkpoint || samples || test };
  }

  /** @returns whether the run goes on: else it has gone back */
  async #report(pace: Pace): Promise<boolean> {
    const { trainer } = this;
    const { reports, divergence } = await trainer.fetchUntilDivergence();
    const { attempts } = trainer.recovery;
    const { health, sign } = watch(
      trainer.recovery.health,
      reports,
      this.#dataset.classNames.length,
      divergence,
    );
    if (reports.length > 0) await this.#directory.metrics.append(withAttempts(reports, attempts), this.#note);
    if (sign) {
      await this.#goBack(sign);
      pace.restart(trainer.iteration);
      return false;
    }
    trainer.recovery = { attempts, health };
    const report = reports.at(-1);
    if (!report) return true;
    const iterationsPerSecond = pace.measured(trainer.iteration);
    const { likelihoodWeight, likelihoodBatch, labelledBatch } = this.#configuration;
    this.#listener.progress({
      report,
      iterations: trainer.iterations,
      imagesPerSecond: iterationsPerSecond * (labelledBatch + (likelihoodWeight > 0 ? likelihoodBatch : 0)),
      secondsLeft: (trainer.iterations - trainer.iteration) / iterationsPerSecond,
      leaningSince: health.leaningSince,
    });
    return true;
  }

  /** @throws {DivergenceError} if the run cannot go on from an earlier checkpoint. */
  async #goBack(sign: Sign): Promise<void> {
    const attempt = await rollBack({
      trainer: this.trainer,
      directory: this.#directory,
      configuration: this.#configuration,
      save: () => this.#saveCheckpoint(),
      note: this.#note,
    }, sign);
    this.#listener.recovering(attempt);
  }

  async #saveCheckpoint(): Promise<void> {
    const { trainer } = this;
    const bytes = await encodeCheckpoint(
      trainer,
      this.#configuration,
      this.#dataset,
      this.#directory.recordAt(trainer.iteration),
    );
    await this.#directory.writeCheckpoint(trainer.iteration, bytes, this.#configuration, this.#note);
    this.#saved = { iteration: trainer.iteration, at: performance.now() };
  }

  /** A picture that is missing, because it could not be written or an earlier version wrote the checkpoint before it. */
  async #makeUpSamples(): Promise<void> {
    if (!await exists(this.#directory.samplesPath(this.trainer.iteration))) await this.#saveSamples();
  }

  /** Pictures entries from all over the replay buffer; training goes on without a picture that cannot be written. */
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
    await this.#directory.writeSamples(iteration, png).catch(this.#noteProblem);
    this.#pictured = iteration;
  }

  /** Evaluates on the images that were held out, keeping the best model, as the official code does; else on the test set. */
  async #evaluate(): Promise<void> {
    const { iteration } = this.trainer;
    const result = await this.#test(this.#validationImages ?? this.#testImages);
    this.#listener.tested(iteration, result, this.#validationImages ? "validation" : "test");
    if (!this.#validationImages) return;
    const { best } = this.#directory;
    if (best.noted && result.testAccuracy <= best.noted.accuracy) return;
    const model = await encodeModel(this.trainer, this.#configuration, this.#dataset);
    await best.write({ iteration, accuracy: result.testAccuracy }, model, this.#note);
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
