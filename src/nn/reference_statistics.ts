import type { Context } from "../tensor/context.ts";
import type { NormReference, NormReferences } from "../tensor/operations/batch_norm.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * What every layer of batch norm sees of a batch: its statistics, and the sums of gradients that pass through them.
 * There are three flat vectors. A layer has the same place in each as in the running statistics.
 */
export class ReferenceStatistics implements NormReferences {
  readonly #statistics: Tensor;
  readonly #shiftSums: Tensor;
  readonly #scaleSums: Tensor;

  /**
   * @param length the length of the running statistics
   * @param images the number of images in the batch
   */
  constructor(context: Context, length: number, readonly images: number) {
    const vector = () => context.zeros([length]).disown();
    [this.#statistics, this.#shiftSums, this.#scaleSums] = [vector(), vector(), vector()];
  }

  of(offset: number, channels: number): NormReference {
    const sum = (vector: Tensor) => vector.slice(offset, [1, channels]);
    return {
      statistics: this.#statistics.slice(offset, [1, 2, channels]),
      sums: { shiftSum: sum(this.#shiftSums), scaleSum: sum(this.#scaleSums) },
      images: this.images,
    };
  }

  dispose(): void {
    for (const vector of this.vectors) vector.dispose();
  }

  /** All three vectors. */
  get vectors(): readonly [statistics: Tensor, shiftSums: Tensor, scaleSums: Tensor] {
    return [this.#statistics, this.#shiftSums, this.#scaleSums];
  }
}
