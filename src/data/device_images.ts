import { expandImages } from "../kernels/expand_images.ts";
import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Dataset, ImageSet } from "./dataset.ts";

/** How {@link DeviceImages.expand} cuts images out of their padded originals. */
export interface CropOptions {
  /** Pixels of reflection around an image. */
  readonly padding: number;
  /** uint32 `[N]`: dy | dx << 8 | flip << 16, with dy and dx from 0 to 2·padding. */
  readonly crops: Tensor;
}

/** A set of images that lies on the GPU as bytes; batches of it are scaled, cropped and flipped there. */
export class DeviceImages {
  /** The images' bytes, four to a word. */
  readonly bytes: Tensor;
  readonly shape: readonly [number, number, number];
  readonly maximum: number;
  readonly labels: Uint32Array;
  readonly count: number;

  /**
   * Uploads a set.
   * @throws {GpuError} if it exceeds what the device can bind.
   */
  constructor(context: Context, { height, width, channels, maximum }: Dataset, set: ImageSet) {
    this.shape = [height, width, channels];
    this.maximum = maximum;
    this.labels = set.labels;
    this.count = set.count;
    const words = new Uint32Array(Math.ceil(set.bytes.length / 4));
    new Uint8Array(words.buffer).set(set.bytes);
    this.bytes = context.from(words, [words.length]).disown();
  }

  /**
   * Images in [−1, 1], `[N, H, W, C]`.
   * @param indices uint32 `[N]`
   * @param crop random crops; without it the images are taken as they are
   */
  expand(indices: Tensor, crop?: CropOptions): Tensor {
    const { context } = indices;
    const [height, width, channels] = this.shape;
    const images = context.empty([indices.size, ...this.shape]);
    const uncropped = crop ? undefined : context.zeros([indices.size], "uint32");
    const shape = {
      batch: indices.size,
      height,
      width,
      channels,
      count: this.count,
      maximum: this.maximum,
      padding: crop?.padding ?? 0,
    };
    context.launch(expandImages, shape, {
      bytes: this.bytes,
      indices,
      crops: crop?.crops ?? uncropped!,
      images,
    });
    uncropped?.dispose();
    return images;
  }
}
