import type { Dataset } from "../data/dataset.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import type { DeviceImages } from "../data/device_images.ts";
import { divide, type Subsets } from "../data/subsets.ts";
import type { Plan } from "../gpu/plan.ts";
import type { Sampler } from "../jem/sampler.ts";
import { type ShardBatch, ShardedStep } from "../jem/sharded_step.ts";
import { type Batch, TrainingStep } from "../jem/training_step.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { SharpnessAware } from "../optim/sharpness_aware.ts";
import { learningRateAt, type LearningRateSchedule } from "../optim/schedule.ts";
import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  buildModel,
  buildOptimizer,
  buildSampler,
  buildSharpnessAware,
  learningRates,
  residentImages,
} from "./build.ts";
import { settledAttempts } from "./recovery/changes.ts";
import type { Configuration } from "./configuration.ts";
import { type Divergence, divergenceError } from "./recovery/divergence.ts";
import { Exchange, exchangeRoom, noWishes, type Wishes } from "./iteration/exchange.ts";
import { IterationDraws } from "./iteration/iteration_draws.ts";
import type { InputValues } from "./iteration/inputs.ts";
import type { IterationReport } from "./iteration/report.ts";
import { type Attempt, noRecovery, rateFactor, type RecoveryState, streamSeed } from "./recovery/recovery.ts";
import { fillReplayBuffer } from "./replay_filling.ts";
import { Reports } from "./iteration/reports.ts";
import { ShardInputs } from "./iteration/shard_inputs.ts";
import { Shards } from "./iteration/shards.ts";

/**
 * Trains a model by SADA-JEM. An iteration (Algorithm 1 of the paper) is recorded once and then replayed. What changes
 * from one to the next depends on the seed and the iteration's number. In a job of several processes each has a
 * trainer, and all call the same methods in the same order.
 */
export class Trainer {
  readonly model: WideResNet;
  readonly optimizer: Optimizer;
  /** The training images on the GPU: all, or as many of the labelled ones as the configuration allows. */
  readonly images: DeviceImages;
  /** How the training images are divided into training and validation, with and without labels. */
  readonly subsets: Subsets;
  /** How the job is divided. */
  readonly shards: Shards;
  /**
   * Chains that feed the likelihood, with this process's part of the replay buffer; undefined in a plain classifier.
   */
  readonly sampler: Sampler | undefined;
  /** The two gradients of an iteration. */
  readonly sharpnessAware: SharpnessAware;
  readonly schedule: LearningRateSchedule;
  /** Number of iterations of a whole run. */
  readonly iterations: number;
  /** Iterations done. */
  iteration = 0;
  /** The run's health, and what was done about it. It is decided elsewhere, and kept in checkpoints. */
  recovery: RecoveryState = noRecovery;
  /** Whether the replay buffer holds images to continue from. */
  replayFilled = false;
  readonly #context: Context;
  readonly #configuration: Configuration;
  readonly #classes: number;
  readonly #draws: IterationDraws;
  readonly #step: TrainingStep;
  /** Undefined if there is one shard. */
  readonly #shardedStep: ShardedStep | undefined;
  /** Undefined if there is one process. */
  readonly #exchange: Exchange | undefined;
  /** Inputs of this process's shards. */
  readonly #inputs: readonly ShardInputs[];
  readonly #status: Tensor;
  readonly #reports: Reports;
  #plan: { readonly work: Plan; readonly batchesTracked: number } | undefined;

  /**
   * Builds model, optimiser and sampler. The replay buffer is empty until {@link fillReplayBuffer} or a checkpoint
   * fills it.
   * @param communicator connects the processes of the job
   */
  constructor(
    context: Context,
    configuration: Configuration,
    dataset: Dataset,
    readonly communicator: Communicator = oneProcess,
  ) {
    this.#context = context;
    this.#configuration = configuration;
    this.#classes = dataset.classNames.length;
    const shards = this.shards = new Shards(configuration, communicator);
    this.subsets = divide(dataset, configuration);
    const { batchesPerEpoch, padding } = this.#draws = new IterationDraws(
      configuration,
      dataset,
      this.subsets,
      shards,
    );
    this.schedule = learningRates(configuration, batchesPerEpoch);
    this.iterations = configuration.iterations ?? Math.ceil(configuration.epochs! * batchesPerEpoch);

    const resident = residentImages(context, dataset, configuration, this.subsets);
    this.images = resident.images;
    this.model = buildModel(context, configuration, dataset, configuration.activations);
    this.optimizer = buildOptimizer(this.model, configuration);
    this.sampler = configuration.likelihoodWeight > 0
      ? buildSampler(this.model, configuration, resident, dataset.classNames, shards.localEntries)
      : undefined;
    this.sharpnessAware = buildSharpnessAware(this.model, this.optimizer, configuration);
    this.#step = new TrainingStep(this.model, this.sharpnessAware, configuration);
    const { augmentLikelihood, inputNoise } = configuration;
    const imageOptions = { dataset, images: this.images, padding, augmentLikelihood, inputNoise };
    this.#inputs = shards.mine.map(() => new ShardInputs(context, shards, imageOptions));
    this.#status = context.zeros([4], "uint32").disown();
    this.#reports = new Reports(context);
    if (shards.count === 1) return;
    const { ascent } = configuration;
    const room = exchangeRoom(communicator.size);
    const options = { shards: shards.count, local: shards.local, ascent, room };
    const step = this.#shardedStep = new ShardedStep(this.model, this.#step, this.sharpnessAware, options);
    if (communicator.size > 1) {
      this.#exchange = new Exchange(communicator, step.sums, step.room, this.#status);
    }
  }

  /**
   * Fills the replay buffer with fresh images, the same number of each class.
   * @param progress called with the number of images made so far
   * @param signal ends it early when it aborts; the buffer is then of no use
   */
  async fillReplayBuffer(progress?: (made: number) => void, signal?: AbortSignal): Promise<void> {
    if (!this.sampler) return;
    const { size } = this.communicator;
    await fillReplayBuffer(this.sampler, {
      seed: this.#configuration.seed,
      classes: this.#classes,
      shards: this.shards,
      progress: (made) => progress?.(made * size),
      signal,
    });
    this.replayFilled = !signal?.aborted;
  }

  /**
   * Submits one iteration, usually without waiting for it. Fetch the reports at least every `reportCapacity`
   * iterations.
   * @param wishes called with the number of iterations done; returns what this process then wants to do
   * @returns what all processes of the job will do
   */
  async advance(wishes: (iteration: number) => Wishes = noWishes): Promise<Wishes> {
    this.#reports.requireRoom(this.iteration);
    this.#initialiseNorms();
    this.#upload();
    const plan = this.#plan ??= this.#recordPlan();
    await this.#context.gpu.runAtPace(
      plan.work,
      () => this.#exchange!.run(this.iteration, wishes(this.iteration + 1)),
    );
    this.model.runningStatistics.batchesTracked += plan.batchesTracked;
    this.#reports.keep(this.iteration, this.#step.report);
    this.iteration++;
    return this.#exchange?.agreed ?? wishes(this.iteration);
  }

  /**
   * Waits for the iterations submitted so far and returns the reports of those that were not fetched yet.
   * @throws {DivergenceError} if training has diverged; parameters and replay buffer are those before it happened.
   */
  async fetchReports(): Promise<IterationReport[]> {
    const { reports, divergence } = await this.fetchUntilDivergence();
    if (divergence) throw divergenceError(divergence);
    return reports;
  }

  /**
   * {@link fetchReports} for the iterations before a divergence, if there is one, with what was found and reported
   * there.
   */
  async fetchUntilDivergence(): Promise<
    { reports: IterationReport[]; divergence?: Divergence; diverged?: IterationReport | undefined }
  > {
    const [rows, statusWords] = await this.#context.read([this.#reports.rows, this.#status]);
    const reports = this.#reports.take(rows!, this.iteration, (t) => this.learningRate(t));
    const [diverged, iteration] = new Uint32Array(statusWords!.buffer);
    if (!diverged) return { reports };
    const divergence = { iteration: iteration!, likelihood: statusWords![2]!, loss: statusWords![3]! };
    return {
      reports: reports.filter((report) => report.iteration < iteration!),
      divergence,
      diverged: reports.find((report) => report.iteration === iteration),
    };
  }

  /**
   * Seconds that this process has spent in exchanges with the others, including waits for them; undefined if it is
   * alone.
   */
  get exchangeSeconds(): number | undefined {
    return this.#exchange?.seconds;
  }

  /**
   * Running statistics of this process's shards, laid out like the model's, which are their mean; undefined with one
   * shard.
   */
  get shardStatistics(): readonly Tensor[] {
    return this.#shardedStep?.statistics ?? [];
  }

  /** The recorded iteration, for benchmarks of kernels, host time and memory; undefined before the first iteration. */
  get plan(): Plan | undefined {
    return this.#plan?.work;
  }

  /**
   * Records the iteration without running it. Norms that start with the statistics of their first input have them then.
   */
  record(): Plan {
    this.#initialiseNorms();
    this.#plan ??= this.#recordPlan();
    return this.#plan.work;
  }

  /** Learning rate of iteration `t`: the schedule's, lowered for a time after a recovery. */
  learningRate(t: number): number {
    return learningRateAt(this.schedule, t) * rateFactor(this.#attemptsThatCount, t, this.schedule.warmup);
  }

  /** Everything that iteration `t` draws at random on the host, for all shards, and its learning rate. */
  inputsOf(t: number): InputValues {
    return this.#draws.at(t, this.learningRate(t));
  }

  /** Gives all shards the model's running statistics, as in a new trainer. */
  shareStatistics(): void {
    for (const statistics of this.shardStatistics) statistics.copyFrom(this.model.runningStatistics.values);
  }

  /** Continues at an iteration whose state has been restored, with its random streams. */
  resumeAt(iteration: number, recovery: RecoveryState = noRecovery): void {
    this.iteration = iteration;
    this.#reports.restart(iteration);
    this.recovery = recovery;
    this.#draws.reseed(this.#seed);
    this.#status.clear();
  }

  get #attemptsThatCount(): readonly Attempt[] {
    return this.recovery.attempts.slice(settledAttempts(this.#configuration));
  }

  /** Seed of everything random in the iterations: the configuration's, and another one after each recovery. */
  get #seed(): number {
    return streamSeed(this.#configuration.seed, this.recovery.attempts.length);
  }

  /** Uploads what the next iteration draws at random. */
  #upload(): void {
    const inputs = this.inputsOf(this.iteration);
    this.shards.mine.forEach((shard, i) => this.#inputs[i]!.upload(this.#inputsOfShard(shard, inputs)));
  }

  #inputsOfShard(shard: number, all: InputValues): InputValues {
    return this.shards.inputsOf(shard, all, this.#seed, this.iteration);
  }

  /** Algorithm 1 of the paper, on the images that the inputs name. */
  #recordIteration(): void {
    const [shard] = this.#inputs;
    const { stream, schedule } = shard!.parts;
    const status = this.#status;
    if (this.#shardedStep) return this.#recordShards(this.#shardedStep);
    this.model.dropoutStream?.copyFrom(stream);
    this.#step.record(this.#batchOf(shard!), { stream, schedule, status });
  }

  /** The same on this process's shards. Their buffers take x_q once it is known that no shard has diverged. */
  #recordShards(step: ShardedStep): void {
    const { schedule } = this.#inputs[0]!.parts;
    const drawn: (() => void)[] = [];
    const batches = this.#inputs.map((shard): ShardBatch => {
      const { parts } = shard;
      const draw = () => {
        const images = this.sampler!.chains(parts);
        drawn.push(() => this.sampler!.buffer.store(images, parts.draws, this.#status));
        return images;
      };
      return { ...this.#batchOf(shard), draw, stream: parts.stream };
    });
    step.record(batches, { schedule, status: this.#status }, () => {
      if (this.#exchange) this.#context.gpu.cut();
    });
    for (const store of drawn) store();
  }

  #batchOf(shard: ShardInputs): Batch {
    const { parts } = shard;
    const real = shard.likelihoodImages();
    const labelled = shard.labelledImages();
    const draw = () => this.sampler!.draw({ ...parts, status: this.#status });
    return { real, labelled, labels: parts.labels, draw };
  }

  #recordPlan(): { work: Plan; batchesTracked: number } {
    const statistics = this.model.runningStatistics;
    const before = statistics.batchesTracked;
    const work = this.#context.capture(() => this.#recordIteration());
    const batchesTracked = (statistics.batchesTracked - before) / this.shards.local;
    statistics.batchesTracked = before;
    return { work, batchesTracked };
  }

  /** Sets act norm, unless that has been done, from the first images that the job's first shard sees. */
  #initialiseNorms(): void {
    if (this.model.normsInitialised) return;
    const [shard] = this.#inputs;
    shard!.upload(this.#inputsOfShard(0, this.inputsOf(this.iteration)));
    this.#context.scope(() =>
      this.model.initialiseNorms(this.sampler ? shard!.likelihoodImages() : shard!.labelledImages())
    );
  }
}
