import type { WideResNet } from "../nn/wide_resnet.ts";
import { Purpose } from "../random/philox.ts";
import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { fillNormal, normal } from "../tensor/operations/random.ts";
import { elements, type Tensor } from "../tensor/tensor.ts";
import type { Initialisation } from "./initialisation.ts";
import type { ReplayBuffer } from "./replay_buffer.ts";
import { type ChainNoise, recordedSteps, sgldChain, type SgldOptions } from "./sgld.ts";

/** GPU values that decide where the chains of one draw start, and what noise they get. */
export interface ChainInputs {
  /** uint32 `[4]`: seed (low, high), step, call. */
  readonly stream: Tensor;
  /** uint32 `[2, N]`: buffer entries, then flags (1: start from a fresh image). */
  readonly draws: Tensor;
  /** uint32 `[N]`: class of each fresh image. */
  readonly freshClasses: Tensor;
}

/** GPU values that a draw reads. */
export interface DrawInputs extends ChainInputs {
  /** uint32 `[4]`: when the first word is not 0, the buffer keeps its entries. */
  readonly status: Tensor;
}

/** Draws x_q, images from the model's p(x), by persistent SGLD chains. */
export class Sampler {
  /**
   * @param mode batch norm during the chains: train mode as in SADA-JEM, eval mode as in JEM's successors without it
   */
  constructor(
    readonly model: WideResNet,
    readonly buffer: ReplayBuffer,
    readonly initialisation: Initialisation,
    readonly options: SgldOptions,
    readonly mode: NormMode,
  ) {}

  /** Runs a chain of K steps from each drawn start, and puts the end points back into the buffer. */
  draw(inputs: DrawInputs): Tensor {
    const images = this.chains(inputs);
    this.buffer.store(images, inputs.draws, inputs.status);
    return images;
  }

  /** The same, but leaves the buffer as it is. */
  chains({ stream, draws, freshClasses }: ChainInputs): Tensor {
    const { buffer, options } = this;
    using fresh = this.initialisation.fresh(stream, freshClasses);
    using start = buffer.start(draws, fresh);
    const noise = options.noiseScale > 0 ? this.#noise(stream, start.shape) : undefined;
    const images = this.#chain(start, noise);
    if (typeof noise === "object") noise.dispose();
    return images;
  }

  #chain(start: Tensor, noise: ChainNoise | undefined): Tensor {
    const { model, options } = this;
    const { runningStatistics } = model;
    const before = runningStatistics.batchesTracked;
    let recorded = 0;
    const images = sgldChain(
      (x) => {
        recorded++;
        return model.energyScore(x, this.mode);
      },
      start,
      options,
      noise,
    );
    // A long chain records one step and replays it, and each replay counts as a batch.
    const tracked = runningStatistics.batchesTracked - before;
    runningStatistics.batchesTracked = before + tracked / recorded * options.steps;
    return images;
  }

  /**
   * ε of all steps: drawn at once if one binding can hold it and each step's part can be bound. The numbers are the
   * same.
   */
  #noise(stream: Tensor, shape: readonly number[]): ChainNoise {
    const { steps } = this.options;
    const { minStorageBufferOffsetAlignment, maxStorageBufferBindingSize } = stream.context.gpu.device.limits;
    const size = elements(shape);
    const canBeSliced = 4 * size % minStorageBufferOffsetAlignment === 0 &&
      4 * size * steps <= maxStorageBufferBindingSize;
    if (steps <= recordedSteps && canBeSliced) return normal(stream, Purpose.sgldNoise, [steps, ...shape]);
    const blocks = Math.ceil(size / 4);
    return (k, noise) => fillNormal(noise, stream, Purpose.sgldNoise, k * blocks);
  }
}
