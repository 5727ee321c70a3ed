import { replayGather } from "../kernels/chains/replay_gather.ts";
import { replayScatter } from "../kernels/chains/replay_scatter.ts";
import type { Context } from "../tensor/context.ts";
import { PartedTensor } from "../tensor/parted_tensor.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** End points of earlier chains, from which later chains start (Du and Mordatch, 2019; JEM). */
export class ReplayBuffer {
  /** `[capacity, H, W, C]` in [−1, 1]. */
  readonly images: PartedTensor;

  /** @param shape height, width and channels of an image */
  constructor(
    context: Context,
    readonly capacity: number,
    readonly shape: readonly [number, number, number],
  ) {
    this.images = new PartedTensor(context, [capacity, ...shape]);
  }

  /** Values of one image. */
  get pixels(): number {
    return this.images.size / this.capacity;
  }

  /**
   * Returns where the chains of a batch start: at buffer entries, or at fresh images where the draw says so.
   * @param draws uint32 `[2, N]`: entries, then flags (1: fresh)
   * @param fresh `[N, H, W, C]`
   */
  start(draws: Tensor, fresh: Tensor): Tensor {
    const batch = draws.size / 2;
    const { context } = fresh;
    const start = context.empty([batch, ...this.shape]);
    for (const { tensor: buffer, first, count } of this.images.parts) {
      const shape = { batch, pixels: this.pixels, first, count };
      context.launch(replayGather, shape, { buffer, fresh, draws, start });
    }
    return start;
  }

  /** Overwrites the entries from `first` on. */
  fill(first: number, images: Tensor): void {
    this.images.copyRows(first, images);
  }

  /**
   * Puts end points back into the entries that the chains came from. Where several chains share an entry, the last one
   * wins. Does nothing once training has diverged.
   */
  store(images: Tensor, draws: Tensor, status: Tensor): void {
    for (const { tensor: buffer, first, count } of this.images.parts) {
      const shape = { batch: draws.size / 2, pixels: this.pixels, first, count };
      images.context.launch(replayScatter, shape, { images, draws, status, buffer });
    }
  }
}
