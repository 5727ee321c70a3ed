import { type Dataset, selectImages } from "../data/dataset.ts";
import { DeviceImages } from "../data/device_images.ts";
import { shareValue } from "../distributed/share.ts";
import { SadaJemError } from "../errors.ts";
import { encodeCheckpoint, encodeModel } from "./checkpoint/checkpoint.ts";
import { gatherParts } from "./checkpoint/parts.ts";
import type { Configuration } from "./configuration.ts";
import { requireSameJob } from "./job.ts";
import { exists, jsonText } from "./run/files.ts";
import { imagesPerIteration } from "./run/run_plan.ts";
import type { RunListener } from "./run_listener.ts";
import { samplesPicture } from "./run/samples_picture.ts";
import { guessingWarning } from "./recovery/guessing.ts";
import { type Sign, watch } from "./recovery/health.ts";
import { MetricsLog } from "./metrics_log.ts";
import { Pace } from "./pace.ts";
import type { Attempt } from "./recovery/recovery.ts";
import { rollBack } from "./recovery/rollback.ts";
import type { RunDirectory } from "./run/run_directory.ts";
import type { Best } from "./checkpoint/run_record.ts";
import { type TestedSet, testModel, type TestResult } from "./test_result.ts";
import type { Trainer } from "./trainer.ts";

/** Time between two reports to the caller, in milliseconds. Each readback costs about 11 ms of waiting. */
const reportInterval = 1000;

/** What a finished run leaves in `summary.json`. */
export interface Summary extends TestResult {
  readonly iterations: number;
  /** Time of training since this process started, without the final evaluation. */
  readonly seconds: number;
  readonly seed: number;
  readonly adapter: string;
  /** In a job of several processes, their number, and the share of the time spent in exchanges between them. */
  readonly processes?: { readonly count: number; readonly exchangeShare: number };
  /** What was done about divergence. */
  readonly recoveries: readonly Attempt[];
  /** Where the model in `best.safetensors` comes from, if images were held out. */
  readonly best?: Best;
}

/** How far a run goes. */
export interface RunLimits {
  /** Stop and save after this many more iterations. */
  readonly stopAfter?: number | undefined;
  /** Stop and save when it aborts. */
  readonly signal: AbortSignal;
  /**
   * When training started, on the clock of `performance.now()`, if it continues after the loss of a GPU; by default
   * now.
   */
  readonly began?: number;
}

/**
 * A training run with its directory: trains, reports, saves, evaluates. In a job of several processes all run it, and
 * do the same after the same iterations. Only rank 0 has the directory, tests the model, and decides what depends on
 * its clock or its files.
 */
export class TrainingRun {
  readonly trainer: Trainer;
  readonly #configuration: Configuration;
  readonly #dataset: Dataset;
  readonly #directory: RunDirectory | undefined;
  readonly #listener: RunListener;
  /** Images on which the process with the directory tests. */
  readonly #images: Readonly<Record<"test" | "validation", DeviceImages>> | undefined;
  /** Images of the evaluations during training. */
  readonly #set: TestedSet;
  readonly #note: (line: string) => void;
  readonly #noteProblem: (error: unknown) => undefined;
  readonly #metrics: MetricsLog;
  /** The iteration of the last checkpoint, and when it was written. */
  #saved = { iteration: -1, at: performance.now() };
  /** The iteration of the last picture. */
  #pictured = -1;
  /** Seconds spent in exchanges up to the last report. */
  #exchanged = 0;

  /** @param directory undefined in processes of a job that write nothing, which have a {@link silentListener} */
  constructor(
    trainer: Trainer,
    configuration: Configuration,
    dataset: Dataset,
    directory: RunDirectory | undefined,
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
    const { model: { context }, subsets: { validation } } = trainer;
    this.#set = validation.length > 0 ? "validation" : "test";
    this.#metrics = new MetricsLog(directory?.metrics, this.#note);
    if (!directory) return;
    const test = new DeviceImages(context, dataset, dataset.test);
    const heldOut = validation.length > 0
      ? new DeviceImages(context, dataset, selectImages(dataset.train, validation))
      : test;
    this.#images = { test, validation: heldOut };
  }

  /**
   * Trains until the run is complete or a limit is reached, and saves a checkpoint.
   * @returns the summary; undefined if the run is not complete yet, or has no directory.
   * @throws {ConfigurationError} if the processes of a job disagree.
   * @throws {DivergenceError} if training diverges and cannot recover; the checkpoints from before stay.
   */
  async run({ stopAfter, signal, began = performance.now() }: RunLimits): Promise<Summary | undefined> {
    const { trainer } = this;
    const alone = trainer.communicator.size === 1;
    await requireSameJob(trainer, this.#configuration, this.#dataset);
    const finished = await this.#finishedBefore();
    if (finished !== "no") return finished;
    if (trainer.iteration === 0) {
      const total = this.#configuration.bufferSize;
      if (!trainer.replayFilled) {
        await trainer.fillReplayBuffer((made) => this.#listener.filling(made, total), signal);
      }
      // Nothing has been learned yet, and a run without a checkpoint starts over.
      if (await this.#anyStops(signal)) return undefined;
      await this.#saveCheckpoint();
    } else if (this.#milestones(trainer.iteration).samples) {
      await this.#makeUpSamples();
    }
    this.#saved = { iteration: trainer.iteration, at: performance.now() };
    this.#metrics.restart();
    const last = Math.min(trainer.iterations, trainer.iteration + (stopAfter ?? Infinity));
    const pace = new Pace(trainer.iteration, reportInterval);
    let stops = await this.#anyStops(signal);
    while (trainer.iteration < last && !stops) {
      const { stop, report, checkpoint } = await trainer.advance((iteration) => ({
        stop: signal.aborted,
        report: pace.due(iteration),
        checkpoint: this.#isCheckpointDue(),
      }));
      await this.#afterIteration(pace, report || trainer.iteration === last, checkpoint);
      stops = alone ? signal.aborted : stop;
    }
    const seconds = (performance.now() - began) / 1000;
    await this.#directory?.requireHeld();
    await this.#report(pace);
    if (this.#pictured !== trainer.iteration) await this.#saveSamples();
    const isComplete = trainer.iteration >= trainer.iterations;
    if (isComplete && this.#set === "validation") await this.#evaluate();
    if (this.#saved.iteration !== trainer.iteration) await this.#saveCheckpoint();
    return isComplete ? await this.#finish(seconds) : undefined;
  }

  async #afterIteration(pace: Pace, report: boolean, checkpoint: boolean): Promise<void> {
    const milestones = this.#milestones(this.trainer.iteration, checkpoint);
    if (!report && !milestones.any) return;
    await this.#directory?.requireHeld();
    if (!await this.#report(pace)) return;
    // The checkpoint comes last: if the process ends before it, whatever is missing is made again.
    if (milestones.samples) await this.#saveSamples();
    if (milestones.test) await this.#evaluate();
    if (milestones.checkpoint) await this.#saveCheckpoint();
    this.#metrics.restart();
  }

  /** Whether any process of the job has been told to stop. */
  async #anyStops({ aborted }: AbortSignal): Promise<boolean> {
    const stops = Float32Array.of(Number(aborted));
    await this.trainer.communicator.sum(stops);
    return stops[0]! > 0;
  }

  /** What rank 0 answers. */
  async #ask<Answer>(answer: (directory: RunDirectory) => Promise<Answer>): Promise<Answer> {
    return await shareValue(this.trainer.communicator, this.#directory && await answer(this.#directory));
  }

  /** The contents of a file, on rank 0; the others provide their parts. */
  async #encoded(
    encode: (directory: RunDirectory) => Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#directory) return await encode(this.#directory);
    await gatherParts(this.trainer);
    return new Uint8Array();
  }

  #encodedModel(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#encoded(() => encodeModel(this.trainer, this.#configuration, this.#dataset));
  }

  /** The summary of a complete run. Its model is written again if it is missing or damaged. */
  async #finishedBefore(): Promise<Summary | undefined | "no"> {
    const { iteration, iterations } = this.trainer;
    if (iteration < iterations) return "no";
    const summary = await this.#directory?.readJson<Summary>("summary.json").catch(this.#noteProblem);
    if (!await this.#ask(() => Promise.resolve(summary?.iterations === iteration))) return "no";
    if (!await this.#ask((directory) => directory.holdsModel(iteration))) await this.#saveModel();
    return summary;
  }

  async #saveModel(): Promise<void> {
    const model = await this.#encodedModel();
    await this.#directory?.writePersistently("model.safetensors", model, this.#note);
  }

  async #finish(seconds: number): Promise<Summary | undefined> {
    const { trainer } = this;
    await this.#saveModel();
    if (!this.#directory) return undefined;
    const best = this.#directory.best.noted;
    const result = await testModel(trainer.model, this.#images!.test);
    await this.#metrics.test(trainer.iteration, "test", result);
    const warning = this.#configuration.classificationWeight > 0 && guessingWarning(this.#dataset, result);
    if (warning) this.#listener.note(`warning: ${warning}`);
    const { communicator, exchangeSeconds } = trainer;
    const summary: Summary = {
      ...result,
      iterations: trainer.iteration,
      seconds,
      seed: this.#configuration.seed,
      adapter: trainer.model.context.gpu.adapterName,
      ...(exchangeSeconds !== undefined && {
        processes: { count: communicator.size, exchangeShare: Math.min(1, exchangeSeconds / seconds) },
      }),
      recoveries: trainer.recovery.attempts,
      ...(best && { best }),
    };
    await this.#directory.writePersistently("summary.json", jsonText(summary), this.#note);
    return summary;
  }

  /** Whether enough time has passed since the last checkpoint for another one. */
  #isCheckpointDue(): boolean {
    const { checkpointMinutes } = this.#configuration;
    const minutes = (performance.now() - this.#saved.at) / 60_000;
    return checkpointMinutes > 0 && minutes >= checkpointMinutes;
  }

  /** @param checkpointDue whether the clock calls for a checkpoint */
  #milestones(iteration: number, checkpointDue = false) {
    const isLast = iteration >= this.trainer.iterations;
    const at = (every: number) => every > 0 && iteration % every === 0 && !isLast;
    const { checkpointEvery, samplesEvery, evaluateEvery } = this.#configuration;
    const checkpoint = at(checkpointEvery) || (checkpointDue && !isLast);
    const [samples, test] = [at(samplesEvery), at(evaluateEvery)];
    return { checkpoint, samples, test, any: checkpoint || samples || test };
  }

  /** @returns whether the run continues; otherwise it has gone back */
  async #report(pace: Pace): Promise<boolean> {
    const { trainer } = this;
    const { reports, divergence, diverged } = await trainer.fetchUntilDivergence();
    const { attempts } = trainer.recovery;
    const { health, sign } = watch(
      trainer.recovery.health,
      reports,
      this.#dataset.classNames.length,
      divergence,
    );
    // If the run goes back, the last row is removed; if not, it shows why the run has ended.
    await this.#metrics.reports(diverged ? [...reports, diverged] : reports, attempts);
    if (sign) {
      await this.#goBack(sign);
      pace.restart(trainer.iteration);
      this.#metrics.restart();
      return false;
    }
    trainer.recovery = { attempts, health };
    const report = reports.at(-1);
    if (!report) return true;
    const { seconds, iterationsPerSecond } = pace.measured(trainer.iteration);
    this.#listener.progress({
      report,
      iterations: trainer.iterations,
      imagesPerSecond: iterationsPerSecond * imagesPerIteration(this.#configuration)!,
      secondsLeft: (trainer.iterations - trainer.iteration) / iterationsPerSecond,
      exchangeShare: this.#exchangeShare(seconds),
      leaningSince: health.leaningSince,
    });
    return true;
  }

  /** @param seconds time since the last call */
  #exchangeShare(seconds: number): number | undefined {
    const { exchangeSeconds } = this.trainer;
    if (exchangeSeconds === undefined) return undefined;
    const spent = exchangeSeconds - this.#exchanged;
    this.#exchanged = exchangeSeconds;
    return Math.min(1, spent / seconds);
  }

  /** @throws {DivergenceError} if the run cannot continue from an earlier checkpoint. */
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
    const { iteration } = trainer;
    const bytes = await this.#encoded((directory) =>
      encodeCheckpoint(trainer, this.#configuration, this.#dataset, directory.recordAt(iteration))
    );
    await this.#directory?.writeCheckpoint(iteration, bytes, this.#configuration, this.#note);
    this.#saved = { iteration, at: performance.now() };
  }

  /**
   * A picture that is missing because it could not be written, or because an earlier version wrote the checkpoint
   * before it.
   */
  async #makeUpSamples(): Promise<void> {
    const { iteration } = this.trainer;
    if (!await this.#ask((directory) => exists(directory.samplesPath(iteration)))) await this.#saveSamples();
  }

  /**
   * Draws a picture of entries from anywhere in the replay buffer. Training continues without a picture that cannot be
   * written.
   */
  async #saveSamples(): Promise<void> {
    const { sampler, iteration } = this.trainer;
    if (!sampler) return;
    const parts = await gatherParts(this.trainer);
    if (parts) {
      const picture = samplesPicture(parts.replay!);
      await this.#directory?.writeSamples(iteration, picture).catch(this.#noteProblem);
    }
    this.#pictured = iteration;
  }

  /**
   * Evaluates on the held-out images and keeps the best model, like the official code; without such images, on the test
   * set.
   */
  async #evaluate(): Promise<void> {
    const { iteration, model } = this.trainer;
    const set = this.#set;
    const result = this.#images && await testModel(model, this.#images[set]);
    if (result) {
      await this.#metrics.test(iteration, set, result);
      this.#listener.tested(iteration, result, set);
    }
    if (set === "test") return;
    const isBest = await this.#ask(({ best: { noted } }) =>
      Promise.resolve(!noted || result!.testAccuracy > noted.accuracy)
    );
    if (!isBest) return;
    const encoded = await this.#encodedModel();
    await this.#directory?.best.write({ iteration, accuracy: result!.testAccuracy }, encoded, this.#note);
  }
}
