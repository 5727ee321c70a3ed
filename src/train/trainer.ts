import type { Dataset } from "../data/dataset.ts";
import type { CropOptions, DeviceImages } from "../data/device_images.ts";
import { StreamedImages } from "../data/streamed_images.ts";
import { divide, type Subsets } from "../data/subsets.ts";
import type { Plan } from "../gpu/plan.ts";
import type { Sampler } from "../jem/sampler.ts";
import { type ReportField, reportFields, TrainingStep } from "../jem/training_step.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { SharpnessAware } from "../optim/sharpness_aware.ts";
import { learningRateAt, type LearningRateSchedule } from "../optim/schedule.ts";
import { Purpose, RandomStream, streamWords } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import { add } from "../tensor/operations/arithmetic.ts";
import { normal } from "../tensor/operations/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { BatchOrder } from "./batch_order.ts";
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
import { drawCrops, drawReplay } from "./iteration_draws.ts";
import { type InputValues, IterationInputs } from "./iteration_inputs.ts";
import type { IterationReport } from "./iteration_report.ts";
import { type Attempt, noRecovery, rateFactor, type RecoveryState, streamSeed } from "./recovery/recovery.ts";

/** Iterations whose reports the GPU keeps until they are fetched. */
export const reportCapacity = 64;
/** The two independent streams of training images. */
type Stream = "likelihood" | "labelled";

/** Random steps from here on belong to the filling of the replay buffer; iterations stay below. */
const firstFillStep = 2 ** 31;
/** Images made at once when the replay buffer is filled. */
const fillBatch = 100;
/** Images made between two waits for them, since a wait takes about as long as making a batch. */
const imagesPerWait = 1000;

/**
 * Trains a model by SADA-JEM. An iteration (Algorithm 1 of the paper) is recorded once and then replayed; what changes
 * from one to the next is a function of the seed and the iteration's number.
 */
export class Trainer {
  readonly model: WideResNet;
  readonly optimizer: Optimizer;
  /** The training images on the GPU: all, or as many of the labelled ones as the configuration allows. */
  readonly images: DeviceImages;
  /** How the training images are divided into those for training and validation, with and without labels. */
  readonly subsets: Subsets;
  /** Chains that feed the likelihood; undefined in a plain classifier. */
  readonly sampler: Sampler | undefined;
  /** The two gradients of an iteration. */
  readonly sharpnessAware: SharpnessAware;
  readonly schedule: LearningRateSchedule;
  /** Iterations of a whole run. */
  readonly iterations: number;
  /** Iterations done. */
  iteration = 0;
  /** How the run fares, and what was done about it; decided elsewhere, kept in checkpoints. */
  recovery: RecoveryState = noRecovery;
  readonly #context: Context;
  readonly #configuration: Configuration;
  readonly #classes: number;
  readonly #labels: Uint32Array;
  readonly #augmentation: { readonly padding: number; readonly flip: boolean };
  /** Batches of images that are not kept on the GPU. */
  readonly #streamed: Readonly<Record<Stream, StreamedImages>> | undefined;
  readonly #step: TrainingStep;
  readonly #inputs: IterationInputs;
  readonly #status: Tensor;
  readonly #reports: Tensor;
  #likelihoodOrder: BatchOrder;
  #labelledOrder: BatchOrder;
  #fetched = 0;
  #plan: { readonly work: Plan; readonly batchesTracked: number } | undefined;

  /** Builds model, optimiser and sampler; the replay buffer is empty until {@link fillReplayBuffer} or a checkpoint. */
  constructor(context: Context, configuration: Configuration, dataset: Dataset) {
    const { seed, likelihoodBatch, labelledBatch, padding, flip } = configuration;
    this.#context = context;
    this.#configuration = configuration;
    this.#classes = dataset.classNames.length;
    this.#augmentation = {
      padding: padding ?? dataset.augmentation.padding,
      flip: flip ?? dataset.augmentation.flip,
    };
    this.#labels = dataset.train.labels;
    this.subsets = divide(dataset, configuration);
    const { training, labelled } = this.subsets;
    this.#likelihoodOrder = new BatchOrder(seed, Purpose.likelihoodOrder, training, likelihoodBatch);
    this.#labelledOrder = new BatchOrder(seed, Purpose.labelledOrder, labelled, labelledBatch);
    this.schedule = learningRates(configuration, this.#labelledOrder.batchesPerEpoch);
    this.iterations = configuration.iterations ??
      Math.ceil(configuration.epochs! * this.#labelledOrder.batchesPerEpoch);

    const resident = residentImages(context, dataset, configuration, this.subsets);
    this.images = resident.images;
    if (this.images.count < dataset.train.count) {
      this.#streamed = {
        likelihood: new StreamedImages(context, dataset, likelihoodBatch),
        labelled: new StreamedImages(context, dataset, labelledBatch),
      };
    }
    this.model = buildModel(context, configuration, dataset, configuration.activations);
    this.optimizer = buildOptimizer(this.model, configuration);
    this.sampler = configuration.likelihoodWeight > 0
      ? buildSampler(this.model, configuration, resident, dataset.classNames)
      : undefined;
    this.sharpnessAware = buildSharpnessAware(this.model, this.optimizer, configuration);
    this.#step = new TrainingStep(this.model, this.sharpnessAware, configuration);
    this.#inputs = new IterationInputs(context, likelihoodBatch, labelledBatch);
    this.#status = context.zeros([4], "uint32").disown();
    this.#reports = context.zeros([reportCapacity, reportFields.length]).disown();
  }

  /**
   * Fills the replay buffer with fresh images, as many of each class.
   * @param progress called with the number of images made
   * @param signal ends it early, when it aborts, with a buffer that is of no use
   */
  async fillReplayBuffer(progress?: (made: number) => void, signal?: AbortSignal): Promise<void> {
    if (!this.sampler) return;
    const { buffer, initialisation } = this.sampler;
    for (let first = 0; first < buffer.capacity && !signal?.aborted; first += fillBatch) {
      const count = Math.min(fillBatch, buffer.capacity - first);
      const classes = Uint32Array.from(
        { length: count },
        (_, i) => Math.floor((first + i) * this.#classes / buffer.capacity),
      );
      this.#context.scope(() => {
        const words = streamWords(this.#configuration.seed, firstFillStep + first / fillBatch);
        const stream = this.#context.from(words, [4]);
        buffer.fill(first, initialisation.fresh(stream, this.#context.from(classes, [count])));
      });
      const made = first + count;
      if (made % imagesPerWait !== 0 && made < buffer.capacity) continue;
      await this.#context.read([]);
      progress?.(made);
    }
  }

  /**
   * Submits one iteration, mostly without waiting for it. Fetch the reports at least every {@link reportCapacity} iterations.
   */
  async advance(): Promise<void> {
    if (this.iteration - this.#fetched >= reportCapacity) {
      throw new Error(`more than ${reportCapacity} iterations without fetching their reports`);
    }
    this.#upload();
    const plan = this.#plan ??= this.#recordPlan();
    await this.#context.gpu.runAtPace(plan.work);
    this.model.runningStatistics.batchesTracked += plan.batchesTracked;

    const { buffer, offset } = this.#reports.range();
    const size = reportFields.length * 4;
    const row = this.iteration % reportCapacity;
    this.#context.gpu.copy({ ...this.#step.report.range(), size }, {
      buffer,
      offset: offset + row * size,
      size,
    });
    this.iteration++;
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

  /** {@link fetchReports} of the iterations before a divergence, if there is one, with what was found there. */
  async fetchUntilDivergence(): Promise<{ reports: IterationReport[]; divergence?: Divergence }> {
    const [rows, statusWords] = await this.#context.read([this.#reports, this.#status]);
    const reports: IterationReport[] = [];
    for (; this.#fetched < this.iteration; this.#fetched++) {
      const start = this.#fetched % reportCapacity * reportFields.length;
      const values = Object.fromEntries(reportFields.map((field, i) => [field, rows![start + i]!]));
      reports.push({
        iteration: this.#fetched,
        learningRate: this.learningRate(this.#fetched),
        ...values as Record<ReportField, number>,
      });
    }
    const [diverged, iteration] = new Uint32Array(statusWords!.buffer);
    if (!diverged) return { reports };
    const divergence = { iteration: iteration!, likelihood: statusWords![2]!, loss: statusWords![3]! };
    return { reports: reports.filter((report) => report.iteration < iteration!), divergence };
  }

  /** The recorded iteration, whose kernels, host time and memory a benchmark measures; undefined before the first. */
  get plan(): Plan | undefined {
    return this.#plan?.work;
  }

  /** Records the iteration without running it; norms that begin with the statistics of their first input have them then. */
  record(): Plan {
    if (!this.model.normsInitialised) this.#upload();
    this.#plan ??= this.#recordPlan();
    return this.#plan.work;
  }

  /** Learning rate of iteration `t`: the schedule's, lowered for the time after a recovery. */
  learningRate(t: number): number {
    return learningRateAt(this.schedule, t) * rateFactor(this.#attemptsThatCount, t, this.schedule.warmup);
  }

  /** Everything that iteration `t` draws at random, and its learning rate. */
  inputsOf(t: number): InputValues {
    const { likelihoodBatch, labelledBatch, bufferSize, reinitProbability, beta1, beta2 } =
      this.#configuration;
    const seed = this.#seed;
    const labelledIndices = this.#labelledOrder.at(t);
    const crops = (purpose: number, batch: number) =>
      drawCrops(new RandomStream(seed, purpose, t), batch, this.#augmentation);
    return {
      stream: streamWords(seed, t),
      schedule: [this.learningRate(t), 1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1), 0],
      likelihoodIndices: this.#likelihoodOrder.at(t),
      likelihoodCrops: crops(Purpose.likelihoodCrop, likelihoodBatch),
      labelledIndices,
      labelledCrops: crops(Purpose.labelledCrop, labelledBatch),
      labels: labelledIndices.map((index) => this.#labels[index]!),
      ...drawReplay({
        seed,
        iteration: t,
        batch: likelihoodBatch,
        capacity: bufferSize,
        classes: this.#classes,
        reinitProbability,
      }),
    };
  }

  /** Continues at an iteration whose state has been restored, with the streams of randomness that belong to it. */
  resumeAt(iteration: number, recovery: RecoveryState = noRecovery): void {
    this.iteration = this.#fetched = iteration;
    this.recovery = recovery;
    this.#likelihoodOrder = this.#likelihoodOrder.withSeed(this.#seed);
    this.#labelledOrder = this.#labelledOrder.withSeed(this.#seed);
    this.#status.clear();
  }

  get #attemptsThatCount(): readonly Attempt[] {
    return this.recovery.attempts.slice(settledAttempts(this.#configuration));
  }

  /** Seed of everything random in the iterations: the configuration's, another one after each recovery. */
  get #seed(): number {
    return streamSeed(this.#configuration.seed, this.recovery.attempts.length);
  }

  /** Sends what the next iteration draws at random. */
  #upload(): void {
    const inputs = this.inputsOf(this.iteration);
    this.#inputs.upload(inputs);
    this.#streamed?.likelihood.upload(inputs.likelihoodIndices);
    this.#streamed?.labelled.upload(inputs.labelledIndices);
  }

  /** Algorithm 1 of the paper, on the images that the inputs name. */
  #recordIteration(): void {
    const { stream, schedule, labels } = this.#inputs.parts;
    const status = this.#status;
    this.model.dropoutStream?.copyFrom(stream);
    const real = this.#likelihoodImages();
    const labelled = this.#expand("labelled", true);
    const draw = () => this.sampler!.draw({ ...this.#inputs.parts, status });
    this.#step.record({ real, labelled, labels, draw }, { stream, schedule, status });
  }

  /** x_p: not augmented, perhaps with noise. */
  #likelihoodImages(): Tensor {
    const { augmentLikelihood, inputNoise } = this.#configuration;
    const images = this.#expand("likelihood", augmentLikelihood);
    if (inputNoise === 0) return images;
    return add(images, normal(this.#inputs.parts.stream, Purpose.inputNoise, images.shape), inputNoise);
  }

  #expand(stream: Stream, augment: boolean): Tensor {
    const { parts } = this.#inputs;
    const { padding } = this.#augmentation;
    const crop: CropOptions | undefined = augment ? { padding, crops: parts[`${stream}Crops`] } : undefined;
    return this.#streamed?.[stream].expand(crop) ?? this.images.expand(parts[`${stream}Indices`], crop);
  }

  #recordPlan(): { work: Plan; batchesTracked: number } {
    if (!this.model.normsInitialised) {
      this.#context.scope(() => this.model.initialiseNorms(this.#firstImages()));
    }
    const statistics = this.model.runningStatistics;
    const before = statistics.batchesTracked;
    const work = this.#context.capture(() => this.#recordIteration());
    const batchesTracked = statistics.batchesTracked - before;
    statistics.batchesTracked = before;
    return { work, batchesTracked };
  }

  /** The images of the iteration's first forward pass, which act norm is set from. */
  #firstImages(): Tensor {
    return this.sampler ? this.#likelihoodImages() : this.#expand("labelled", true);
  }
}
