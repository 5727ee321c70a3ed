import type { WideResNet } from "../nn/wide_resnet.ts";
import { Purpose } from "../random/philox.ts";
import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { normal } from "../tensor/operations/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Initialisation } from "./initialisation.ts";
import type { ReplayBuffer } from "./replay_buffer.ts";
import { sgldChain, type SgldOptions } from "./sgld.ts";

/** GPU values that decide where the chains of one draw start, and what noise they see. */
export interface DrawInputs {
  /** uint32 `[4]`: seed (low, high), step, unused. */
  readonly stream: Tensor;
  /** uint32 `[2, N]`: buffer entries, then flags (1: start from a fresh image). */
  readonly draws: Tensor;
  /** uint32 `[N]`: class of each fresh image. */
  readonly freshClasses: Tensor;
  /** uint32 `[4]`: the buffer keeps its entries when the first word is not 0. */
  readonly status: Tensor;
}

/** Draws x_q, images from the model's p(x), by persistent SGLD chains. */
export class Sampler {
  /** @param mode batch norm during the chains: train mode as in SADA-JEM, eval mode as in JEM's successors without it */
  constructor(
    readonly model: WideResNet,
    readonly buffer: ReplayBuffer,
    readonly initialisation: Initialisation,
    readonly options: SgldOptions,
    readonly mode: NormMode,
  ) {}

  /** Runs a chain of K steps from each drawn start, and puts the end points back into the buffer. */
  draw({ stream, draws, freshClasses, status }: DrawInputs): Tensor {
    const { model, buffer, options } = this;
    using fresh = this.initialisation.fresh(stream, freshClasses);
    using start = buffer.start(draws, fresh);
    using noise = options.noiseScale > 0
      ? normal(stream, Purpose.sgldNoise, [options.steps, ...start.shape])
      : undefined;
    const images = sgldChain((x) => model.energyScore(x, this.mode), start, options, noise);
    buffer.store(images, draws, status);
    return images;
  }
}
