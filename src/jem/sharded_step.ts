import { addInto } from "../kernels/vector/add_into.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { forEachChunk } from "../optim/chunks.ts";
import type { StepInputs } from "../optim/optimizer.ts";
import type { Pass, SharpnessAware } from "../optim/sharpness_aware.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Batch, emptyReport, reportFields, type TrainingStep } from "./training_step.ts";

/** The images of one shard in an iteration. */
export interface ShardBatch extends Batch {
  /** uint32 `[4]`: seed (low, high), iteration, first call of the shard. */
  readonly stream: Tensor;
}

/** Settings of {@link ShardedStep}. */
export interface ShardedStepOptions {
  /** S, the number of shards in the job. */
  readonly shards: number;
  /** The shards that this process computes. */
  readonly local: number;
  /** Whether SAM ascends along the mean of the shards' gradients, or each shard along its own. */
  readonly ascent: "global" | "local";
  /** Elements at the end of {@link ShardedStep.sums} that the host may use. */
  readonly room: number;
}

/** State that a shard keeps from one batch to the next. */
interface ShardState {
  /** Running statistics of batch norm, laid out like the model's. */
  readonly statistics: Tensor;
  /** The random stream of dropout, like the model's. */
  readonly dropout: Tensor | undefined;
  /** Like {@link TrainingStep.report}. */
  readonly report: Tensor;
}

/** Elements between the starts of two parts of the sums, so that each can be bound. */
const alignment = 64;

/**
 * One iteration of SADA-JEM on a batch that is divided into S shards. Each shard has its own batch statistics, as if it
 * had a device to itself. The loss is the mean of the shards' losses. In a job of several processes each computes some
 * of the shards, and the sums over all shards are formed where the recorded commands are cut.
 *
 * Afterwards the model's running statistics are the means of the shards' (a mean of means and a mean of variances), and
 * the step's report holds the means of the shards' reports. SAM's gradient norm is that of the mean gradient with
 * global ascent, and the mean of the shards' norms with local ascent.
 */
export class ShardedStep {
  /**
   * The values that are summed over the shards, and over the processes in the cuts: the trained parameters' gradients,
   * the running statistics, the reports, and room for the host. All are zero before the first shard.
   */
  readonly sums: Tensor;
  /** Element of {@link sums} at which the host's room begins. */
  readonly room: number;
  /** Running statistics of this process's shards, in the layout of the model's. */
  readonly statistics: readonly Tensor[];
  readonly #model: WideResNet;
  readonly #step: TrainingStep;
  readonly #optimizer: SharpnessAware;
  readonly #options: ShardedStepOptions;
  readonly #states: readonly ShardState[];
  /** The parts of {@link sums}. */
  readonly #sum: { readonly gradients: Tensor; readonly statistics: Tensor; readonly report: Tensor };

  constructor(
    model: WideResNet,
    step: TrainingStep,
    optimizer: SharpnessAware,
    options: ShardedStepOptions,
  ) {
    this.#model = model;
    this.#step = step;
    this.#optimizer = optimizer;
    this.#options = options;
    const { context, runningStatistics: { values }, parameters: { trainableLength } } = model;
    this.#states = Array.from({ length: options.local }, () => {
      const statistics = context.empty(values.shape).disown();
      statistics.copyFrom(values);
      return {
        statistics,
        dropout: model.dropoutStream && context.zeros([4], "uint32").disown(),
        report: emptyReport(context),
      };
    });
    this.statistics = this.#states.map(({ statistics }) => statistics);
    const lengths = [trainableLength, values.size, reportFields.length, options.room];
    const starts = [0];
    for (const length of lengths) starts.push(starts.at(-1)! + Math.ceil(length / alignment) * alignment);
    this.sums = context.zeros([starts.at(-1)!]).disown();
    const part = (i: number) => this.sums.slice(starts[i]!, [lengths[i]!]).disown();
    this.#sum = { gradients: part(0), statistics: part(1), report: part(2) };
    this.room = starts[3]!;
  }

  /**
   * Records one iteration, as {@link TrainingStep.record} does.
   * @param batches of this process's shards
   * @param cut called wherever the sums of this process's shards are complete, before they are used
   */
  record(batches: readonly ShardBatch[], inputs: StepInputs, cut: () => void): void {
    const optimizer = this.#optimizer;
    const passes = batches.map((batch, i) => this.#passesOf(batch, this.#states[i]!, inputs));
    const mean = (addGradients: (shard: number) => void) => this.#meanGradient(addGradients, cut);
    if (this.#options.ascent === "global") {
      optimizer.findGradient((pass) => mean((shard) => passes[shard]!(pass)));
    } else {
      mean((shard) => {
        optimizer.findGradient(passes[shard]!);
        this.#step.reportNorm(this.#states[shard]!.report);
      });
    }
    optimizer.descend(inputs);
    this.#mean(this.#sum.statistics, this.#model.runningStatistics.values);
    this.#mean(this.#sum.report, this.#step.report);
    if (this.#options.ascent === "global") this.#step.reportNorm(this.#step.report);
  }

  /** The two passes of a shard. Meanwhile the model has the shard's running statistics and dropout. */
  #passesOf(batch: ShardBatch, state: ShardState, { status }: StepInputs): (pass: Pass) => void {
    const { runningStatistics: { values }, dropoutStream } = this.#model;
    const { statistics, dropout, report } = state;
    dropout?.copyFrom(batch.stream);
    const addGradients = this.#step.gradientsOf(batch, { stream: batch.stream, status }, report);
    return (pass) => {
      values.copyFrom(statistics);
      if (dropout) dropoutStream!.copyFrom(dropout);
      addGradients(pass);
      if (dropout) dropout.copyFrom(dropoutStream!);
      statistics.copyFrom(values);
    };
  }

  /** Leaves the mean of all shards' gradients in the gradients. */
  #meanGradient(addGradients: (shard: number) => void, cut: () => void): void {
    const { gradients } = this.#model.parameters;
    const sum = this.#sum;
    this.sums.clear();
    this.#states.forEach(({ statistics, report }, shard) => {
      gradients.clear();
      addGradients(shard);
      addScaled(sum.gradients, gradients, 1);
      addScaled(sum.statistics, statistics, 1);
      addScaled(sum.report, report, 1);
    });
    cut();
    this.#mean(sum.gradients, gradients);
  }

  /** target = sum / S. The GPU divides, wherever the sum was formed, so that rounding is always the same. */
  #mean(sum: Tensor, target: Tensor): void {
    target.clear();
    addScaled(target, sum, 1 / this.#options.shards);
  }
}

/** target += factor · source, as far as the shorter of the two goes. */
function addScaled(target: Tensor, source: Tensor, factor: number): void {
  forEachChunk({ source, target }, Math.min(source.size, target.size), (chunk, length) => {
    target.context.launch(addInto, { length, factor }, chunk);
  });
}
