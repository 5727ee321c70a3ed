import type { Dataset } from "../data/dataset.ts";
import { DeviceImages } from "../data/device_images.ts";
import { DivergenceError } from "../errors.ts";
import type { Plan } from "../gpu/gpu.ts";
import { type KernelTime, profile } from "../gpu/profile.ts";
import { InformativeInitialisation, UniformInitialisation } from "../jem/initialisation.ts";
import { ReplayBuffer } from "../jem/replay_buffer.ts";
import { Sampler } from "../jem/sampler.ts";
import { type ReportField, reportFields, TrainingStep } from "../jem/training_step.ts";
import { evaluation, training, WideResNet } from "../nn/wide_resnet.ts";
import { Adam, type Optimizer, Sgd } from "../optim/optimizer.ts";
import { learningRateAt, type LearningRateSchedule } from "../optim/schedule.ts";
import { SharpnessAware } from "../optim/sharpness_aware.ts";
import { Purpose, RandomStream } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import { add } from "../tensor/operations/arithmetic.ts";
import { normal } from "../tensor/operations/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { BatchOrder } from "./batch_order.ts";
import type { Configuration } from "./configuration.ts";
import { drawCrops, drawReplay, IterationInputs, streamWords } from "./iteration_inputs.ts";

/** What an iteration reported; NaN where a field does not apply. */
export type IterationReport = Readonly<Record<ReportField | "iteration" | "learningRate", number>>;

/** Iterations whose reports the GPU keeps until they are fetched. */
export const reportCapacity = 64;
/** Random steps from here on belong to the filling of the replay buffer; iterations stay below. */
const firstFillStep = 2 ** 31;
/** Images made at once when the replay buffer is filled. */
const fillBatch = 100;

/**
 * Trains a model by SADA-JEM. An iteration (Algorithm 1 of the paper) is recorded once and then replayed; what changes
 * from one to the next is a function of the seed and the iteration's number.
 */
export class Trainer {
  readonly model: WideResNet;
  readonly optimizer: Optimizer;
  readonly images: DeviceImages;
  /** Chains that feed the likelihood; undefined in a plain classifier. */
  readonly sampler: Sampler | undefined;
  readonly schedule: LearningRateSchedule;
  /** Iterations of a whole run. */
  readonly iterations: number;
  /** Iterations done. */
  iteration = 0;
  readonly #context: Context;
  readonly #configuration: Configuration;
  readonly #classes: number;
  readonly #augmentation: { readonly padding: number; readonly flip: boolean };
  readonly #step: TrainingStep;
  readonly #inputs: IterationInputs;
  readonly #status: Tensor;
  readonly #reports: Tensor;
  readonly #likelihoodOrder: BatchOrder;
  readonly #labelledOrder: BatchOrder;
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
    this.images = new DeviceImages(context, dataset, dataset.train);
    this.#likelihoodOrder = new BatchOrder(seed, Purpose.likelihoodOrder, this.images.count, likelihoodBatch);
    this.#labelledOrder = new BatchOrder(seed, Purpose.labelledOrder, this.images.count, labelledBatch);
    this.schedule = learningRates(configuration, this.#labelledOrder.batchesPerEpoch);
    this.iterations = configuration.iterations ??
      Math.ceil(configuration.epochs! * this.#labelledOrder.batchesPerEpoch);

    this.model = buildModel(context, configuration, dataset);
    this.optimizer = buildOptimizer(this.model, configuration);
    this.sampler = configuration.likelihoodWeight > 0 ? this.#buildSampler() : undefined;
    this.#step = new TrainingStep(
      this.model,
      new SharpnessAware(this.model.parameters, this.optimizer, {
        rho: configuration.rho,
        adaptive: configuration.adaptive ?? configuration.rho >= 0.5,
      }),
      configuration,
    );
    this.#inputs = new IterationInputs(context, likelihoodBatch, labelledBatch);
    this.#status = context.zeros([4], "uint32").disown();
    this.#reports = context.zeros([reportCapacity, reportFields.length]).disown();
  }

  /**
   * Fills the replay buffer with fresh images, as many of each class.
   * @param progress called with the number of images made
   */
  async fillReplayBuffer(progress?: (made: number) => void): Promise<void> {
    if (!this.sampler) return;
    const { buffer, initialisation } = this.sampler;
    for (let first = 0; first < buffer.capacity; first += fillBatch) {
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
      await this.#context.read([]);
      progress?.(first + count);
    }
  }

  /** Submits one iteration without waiting for it. Fetch the reports at least every {@link reportCapacity} iterations. */
  advance(): void {
    if (this.iteration - this.#fetched >= reportCapacity) {
      throw new Error(`more than ${reportCapacity} iterations without fetching their reports`);
    }
    this.#plan ??= this.#recordPlan();
    this.#inputs.upload(this.#inputsOf(this.iteration));
    this.#context.gpu.run(this.#plan.work);
    this.model.runningStatistics.batchesTracked += this.#plan.batchesTracked;

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
    const [rows, statusWords] = await this.#context.read([this.#reports, this.#status]);
    const reports: IterationReport[] = [];
    for (; this.#fetched < this.iteration; this.#fetched++) {
      const start = this.#fetched % reportCapacity * reportFields.length;
      const values = Object.fromEntries(reportFields.map((field, i) => [field, rows![start + i]!]));
      reports.push({
        iteration: this.#fetched,
        learningRate: learningRateAt(this.schedule, this.#fetched),
        ...values as Record<ReportField, number>,
      });
    }
    const [diverged, iteration] = new Uint32Array(statusWords!.buffer);
    if (diverged) throw divergenceError(iteration!, statusWords!);
    return reports;
  }

  /** Runs the recorded iteration once more, on the same inputs, and returns its kernels' times: for benchmarks. */
  async profile(): Promise<KernelTime[]> {
    this.#plan ??= this.#recordPlan();
    return await profile(this.#context.gpu, this.#plan.work);
  }

  /** GPU memory that the recorded iteration holds, in bytes; 0 before the first. */
  get planBytes(): number {
    return this.#plan?.work.pool.totalBytes ?? 0;
  }

  /** Continues at an iteration whose state has been restored. */
  resumeAt(iteration: number): void {
    this.iteration = this.#fetched = iteration;
  }

  /** Algorithm 1 of the paper, on the images that the inputs name. */
  #recordIteration(): void {
    const { stream, schedule, likelihoodIndices, likelihoodCrops, labelledIndices, labelledCrops, labels } =
      this.#inputs.parts;
    const { augmentLikelihood, inputNoise } = this.#configuration;
    const { padding } = this.#augmentation;
    const status = this.#status;

    const clean = this.images.expand(
      likelihoodIndices,
      augmentLikelihood ? { padding, crops: likelihoodCrops } : undefined,
    );
    const real = inputNoise > 0
      ? add(clean, normal(stream, Purpose.inputNoise, clean.shape), inputNoise)
      : clean;
    const labelled = this.images.expand(labelledIndices, { padding, crops: labelledCrops });
    const generated = () => this.sampler!.draw({ ...this.#inputs.parts, status });
    this.#step.record({ real, generated, labelled, labels }, { stream, schedule, status });
  }

  #recordPlan(): { work: Plan; batchesTracked: number } {
    const statistics = this.model.runningStatistics;
    const before = statistics.batchesTracked;
    const work = this.#context.capture(() => this.#recordIteration());
    const batchesTracked = statistics.batchesTracked - before;
    statistics.batchesTracked = before;
    return { work, batchesTracked };
  }

  /** Everything that iteration `t` draws at random, and its learning rate. */
  #inputsOf(t: number) {
    const { seed, likelihoodBatch, labelledBatch, bufferSize, reinitProbability, beta1, beta2 } =
      this.#configuration;
    const labelledIndices = this.#labelledOrder.at(t);
    const crops = (purpose: number, batch: number) =>
      drawCrops(new RandomStream(seed, purpose, t), batch, this.#augmentation);
    return {
      stream: streamWords(seed, t),
      schedule: [learningRateAt(this.schedule, t), 1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1), 0],
      likelihoodIndices: this.#likelihoodOrder.at(t),
      likelihoodCrops: crops(Purpose.likelihoodCrop, likelihoodBatch),
      labelledIndices,
      labelledCrops: crops(Purpose.labelledCrop, labelledBatch),
      labels: labelledIndices.map((index) => this.images.labels[index]!),
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

  #buildSampler(): Sampler {
    const { bufferSize, initialisation, steps, stepSize, noiseScale, gradientClamp, samplerNorm } =
      this.#configuration;
    const start = initialisation === "informative"
      ? new InformativeInitialisation(this.#context, this.images, this.images.labels, this.#classes)
      : new UniformInitialisation(this.images.shape);
    return new Sampler(
      this.model,
      new ReplayBuffer(this.#context, bufferSize, this.images.shape),
      start,
      { steps, stepSize, noiseScale, gradientClamp: gradientClamp ?? Infinity },
      samplerNorm === "train" ? training : evaluation,
    );
  }
}

/** The model of a configuration, freshly initialised. */
export function buildModel(
  context: Context,
  { depth, width, norm, unconditional, seed }: Configuration,
  dataset: { readonly classNames: readonly string[]; readonly channels: number; readonly height: number },
): WideResNet {
  const { channels, height: imageSize, classNames } = dataset;
  const architecture = { depth, width, norm, unconditional, channels, imageSize, classes: classNames.length };
  return new WideResNet(context, architecture, seed);
}

function buildOptimizer({ context, parameters }: WideResNet, configuration: Configuration): Optimizer {
  const { optimizer, momentum, weightDecay, beta1, beta2 } = configuration;
  return optimizer === "sgd"
    ? new Sgd(context, parameters, { momentum, weightDecay })
    : new Adam(context, parameters, { beta1, beta2, epsilon: 1e-8, weightDecay });
}

function learningRates(configuration: Configuration, iterationsPerEpoch: number): LearningRateSchedule {
  const { learningRate, warmup, decayRate, decayIterations, decayEpochs } = configuration;
  return {
    learningRate,
    warmup,
    decayRate,
    decayIterations: [
      ...decayIterations,
      ...decayEpochs.map((epoch) => Math.round(epoch * iterationsPerEpoch)),
    ],
  };
}

function divergenceError(iteration: number, status: Float32Array): DivergenceError {
  return new DivergenceError(
    `training diverged at iteration ${iteration}: likelihood term ${status[2]}, loss ${status[3]}; ` +
      "resume from the last checkpoint with a smaller learning rate or step size",
  );
}
