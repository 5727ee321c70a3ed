/** Images that are drawn batch by batch: the bytes of a batch, and what is kept of all. */

import { bytesOf, concatenate } from "../../formats/bytes.ts";
import { ImageGrid, type ImagesShape } from "../../formats/pictures/image_grid.ts";
import type { ByteImage } from "../../formats/pictures/png.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Most images in a picture, a whole number of batches. */
export const mostPictured = 400;
/** Most frames of an animation. */
const maximumFrames = 100;

/** A batch of images with the model's logits and energies. */
export interface DrawnBatch {
  /** `[N, classes]` */
  readonly logits: Float32Array<ArrayBuffer>;
  /** `[N]` */
  readonly energies: Float32Array<ArrayBuffer>;
  /** `[N, H, W, C]` in [−1, 1], and the same at the times of the animation's frames; undefined if none is wanted. */
  readonly images: readonly Float32Array<ArrayBuffer>[];
}

/** A batch as bytes, in which {@link DrawnImages.take} finds its parts. */
export function batchBytes({ logits, energies, images }: DrawnBatch): Uint8Array<ArrayBuffer> {
  return concatenate([logits, energies, ...images].map(bytesOf));
}

/** Everything that is kept of the images. */
export class DrawnImages {
  readonly logits: Float32Array<ArrayBuffer>;
  readonly energies: Float32Array<ArrayBuffer>;
  /** `[N, H, W, C]`, if all are kept. */
  readonly images: Float32Array<ArrayBuffer> | undefined;
  readonly #picture: ImageGrid;
  readonly #frames: ImageGrid[] = [];
  readonly #pictured: ImagesShape;

  constructor(readonly shape: ImagesShape, readonly classes: number, keepsAll: boolean) {
    const { count, height, width, channels } = shape;
    this.logits = new Float32Array(count * classes);
    this.energies = new Float32Array(count);
    this.images = keepsAll ? new Float32Array(count * height * width * channels) : undefined;
    this.#pictured = { ...shape, count: Math.min(count, mostPictured) };
    this.#picture = new ImageGrid(this.#pictured);
  }

  /** The first images. */
  get picture(): ByteImage {
    return this.#picture.picture;
  }

  /** The same while they were drawn. */
  get frames(): ByteImage[] {
    return this.#frames.map(({ picture }) => picture);
  }

  /** Takes the {@link batchBytes} of `size` images, starting with number `first`. */
  take(bytes: Uint8Array<ArrayBuffer>, first: number, size: number): void {
    const { height, width, channels } = this.shape;
    const pixels = height * width * channels;
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const energiesAt = size * this.classes;
    const imagesAt = energiesAt + size;
    this.logits.set(values.subarray(0, energiesAt), first * this.classes);
    this.energies.set(values.subarray(energiesAt, imagesAt), first);
    const sets = (values.length - imagesAt) / (size * pixels);
    for (let set = 0; set < sets; set++) {
      const start = imagesAt + set * size * pixels;
      const images = values.subarray(start, start + size * pixels);
      if (set === 0) this.images?.set(images, first * pixels);
      if (first >= this.#pictured.count) continue;
      if (set === 0) this.#picture.paint(images, first);
      else (this.#frames[set - 1] ??= new ImageGrid(this.#pictured)).paint(images, first);
    }
  }
}

/** Collects the images of chains while they run. */
export class ChainFrames {
  readonly all: Float32Array<ArrayBuffer>[] = [];
  readonly #every: number;

  /** @param steps of the chains; 0 takes no frames */
  constructor(readonly steps: number, readonly images: Tensor) {
    this.#every = Math.max(1, Math.ceil(steps / maximumFrames));
  }

  /** Takes a frame after step `step` (−1: the start), if the animation shows that step. */
  async take(step: number): Promise<void> {
    if (this.steps === 0 || (step + 1) % this.#every !== 0 && step + 1 !== this.steps) return;
    this.all.push(await this.images.read());
  }
}
