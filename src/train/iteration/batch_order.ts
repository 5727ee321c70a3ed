import { ConfigurationError } from "../../errors.ts";
import { permutation, RandomStream } from "../../random/philox.ts";

/**
 * The order in which a stream visits the training images: reshuffled every epoch, without the last short batch. It
 * depends on the seed and the iteration alone, so a resumed run continues it exactly.
 */
export class BatchOrder {
  #epoch = -1;
  #order = new Uint32Array();

  /**
   * @param purpose keeps streams with the same seed apart
   * @param images indices of the stream's images
   * @throws {ConfigurationError} if there are fewer images than a batch needs.
   */
  constructor(
    readonly seed: number,
    readonly purpose: number,
    readonly images: Uint32Array,
    readonly batch: number,
  ) {
    if (batch > images.length) {
      throw new ConfigurationError(`a batch of ${batch} is larger than the training set of ${images.length}`);
    }
  }

  /** Iterations in one pass over the images. */
  get batchesPerEpoch(): number {
    return Math.floor(this.images.length / this.batch);
  }

  /** The same images in the order of another seed. */
  withSeed(seed: number): BatchOrder {
    return new BatchOrder(seed, this.purpose, this.images, this.batch);
  }

  /** Indices of the images in an iteration's batch. */
  at(iteration: number): Uint32Array {
    const epoch = Math.floor(iteration / this.batchesPerEpoch);
    if (epoch !== this.#epoch) {
      const order = permutation(new RandomStream(this.seed, this.purpose, epoch), this.images.length);
      this.#order = order.map((position) => this.images[position]!);
      this.#epoch = epoch;
    }
    const start = iteration % this.batchesPerEpoch * this.batch;
    return this.#order.subarray(start, start + this.batch);
  }
}
