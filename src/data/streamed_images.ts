import { expandImages } from "../kernels/images/expand.ts";
import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Dataset, imageBytes } from "./dataset.ts";
import type { CropOptions } from "./device_images.ts";

/**
 * The batches of a training set that is too large for the GPU's memory. Each is copied there when its turn comes, as
 * bytes, and expanded like those of {@link DeviceImages}. The host runs ahead of the GPU, so a batch arrives long
 * before it is used.
 */
export class StreamedImages {
  readonly #dataset: Dataset;
  readonly #batch: number;
  readonly #words: Uint32Array;
  readonly #bytes: Tensor;
  readonly #indices: Tensor;

  constructor(context: Context, dataset: Dataset, batch: number) {
    this.#dataset = dataset;
    this.#batch = batch;
    this.#words = new Uint32Array(Math.ceil(batch * imageBytes(dataset) / 4));
    this.#bytes = context.empty([this.#words.length], "uint32").disown();
    this.#indices = context.from(Uint32Array.from({ length: batch }, (_, i) => i), [batch]).disown();
  }

  /** Uploads the training images with these indices. */
  upload(indices: Uint32Array): void {
    const size = imageBytes(this.#dataset);
    const target = new Uint8Array(this.#words.buffer);
    const { bytes } = this.#dataset.train;
    indices.forEach((index, i) => target.set(bytes.subarray(index * size, (index + 1) * size), i * size));
    this.#bytes.write(this.#words);
  }

  /** The uploaded images in [−1, 1], `[N, H, W, C]`. */
  expand(crop?: CropOptions): Tensor {
    const { height, width, channels, maximum } = this.#dataset;
    const { context } = this.#bytes;
    const images = context.empty([this.#batch, height, width, channels]);
    using uncropped = crop ? undefined : context.zeros([this.#batch], "uint32");
    const format = { height, width, channels, maximum, padding: crop?.padding ?? 0 };
    context.launch(expandImages, { ...format, batch: this.#batch, first: 0, count: this.#batch }, {
      bytes: this.#bytes,
      indices: this.#indices,
      crops: crop?.crops ?? uncropped!,
      images,
    });
    return images;
  }
}
