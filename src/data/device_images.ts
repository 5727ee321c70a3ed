import { mostImagesPerBuffer } from "../kernels/chains/class_means.ts";
import { expandImages } from "../kernels/images/expand.ts";
import type { Context } from "../tensor/context.ts";
import { rowsPerBinding } from "../tensor/parted_tensor.ts";
import type { ImageBuffer } from "./image_buffer.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Dataset, imageBytes, type ImageSet } from "./dataset.ts";

/** How {@link DeviceImages.expand} crops images from their padded originals. */
export interface CropOptions {
  /** Pixels of reflection around an image. */
  readonly padding: number;
  /** uint32 `[N]`: dy | dx << 8 | flip << 16, with dy and dx from 0 to 2·padding. */
  readonly crops: Tensor;
}

/** The parts of a {@link Dataset} that bring its images to the GPU. */
export type ImageFormat = Pick<Dataset, "height" | "width" | "channels" | "maximum">;

/**
 * A set of images on the GPU, as bytes. Batches of it are scaled, cropped and flipped there. It takes as many buffers
 * as the device's largest binding requires.
 */
export class DeviceImages {
  readonly buffers: readonly ImageBuffer[];
  readonly shape: readonly [number, number, number];
  readonly maximum: number;
  readonly labels: Uint32Array;
  readonly count: number;

  /**
   * Uploads a set.
   * @throws {GpuError} if it exceeds the GPU's memory.
   */
  constructor(context: Context, format: ImageFormat, set: ImageSet) {
    this.shape = [format.height, format.width, format.channels];
    this.maximum = format.maximum;
    this.labels = set.labels;
    this.count = set.count;
    this.buffers = upload(context, imageBytes(format), set);
  }

  /** `count` images from `start` on, unaugmented, `[count, H, W, C]`. */
  range(start: number, count: number): Tensor {
    return this.at(Uint32Array.from({ length: count }, (_, i) => start + i));
  }

  /** The images with these indices, unaugmented, `[N, H, W, C]`. */
  at(indices: Uint32Array): Tensor {
    const { context } = this.buffers[0]!.bytes;
    return context.scope(() => this.expand(context.from(indices, [indices.length])));
  }

  /**
   * Images in [−1, 1], `[N, H, W, C]`.
   * @param indices uint32 `[N]`
   * @param crop random crops; without it images are not augmented
   */
  expand(indices: Tensor, crop?: CropOptions): Tensor {
    const { context } = indices;
    const [height, width, channels] = this.shape;
    const { maximum } = this;
    const images = context.empty([indices.size, ...this.shape]);
    using uncropped = crop ? undefined : context.zeros([indices.size], "uint32");
    const padding = crop?.padding ?? 0;
    for (const { bytes, first, count } of this.buffers) {
      const shape = { batch: indices.size, height, width, channels, first, count, maximum, padding };
      context.launch(expandImages, shape, { bytes, indices, crops: crop?.crops ?? uncropped!, images });
    }
    return images;
  }
}

/** Divides a set into buffers that the device can bind. */
function upload(context: Context, bytesPerImage: number, { bytes, count }: ImageSet): ImageBuffer[] {
  const perBuffer = Math.min(mostImagesPerBuffer, rowsPerBinding(context.gpu.device.limits, bytesPerImage));
  const buffers: ImageBuffer[] = [];
  for (let first = 0; first < count; first += perBuffer) {
    const images = Math.min(perBuffer, count - first);
    const part = bytes.subarray(first * bytesPerImage, (first + images) * bytesPerImage);
    const words = new Uint32Array(Math.ceil(part.length / 4));
    new Uint8Array(words.buffer).set(part);
    buffers.push({ bytes: context.from(words, [words.length]).disown(), first, count: images });
  }
  return buffers;
}
