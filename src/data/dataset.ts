/** Data sets that can be loaded by name. `images` is any folder of pictures. */
export const datasetNames = [
  "digits",
  "mnist",
  "fashion-mnist",
  "cifar10",
  "cifar100",
  "svhn",
  "images",
] as const;

/** One of {@link datasetNames}. */
export type DatasetName = typeof datasetNames[number];

/** Images as bytes with their classes. */
export interface ImageSet {
  /** `[count, height, width, channels]`, tightly packed. */
  readonly bytes: Uint8Array;
  /** Class of each image. */
  readonly labels: Uint32Array;
  readonly count: number;
}

/** A classification data set held in memory. */
export interface Dataset {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Byte value of full intensity: images are scaled to [−1, 1] by x / maximum · 2 − 1. */
  readonly maximum: number;
  readonly classNames: readonly string[];
  readonly train: ImageSet;
  readonly test: ImageSet;
  /**
   * How the labelled stream augments an image: reflect-pad by a number of pixels and crop at random, flip at random.
   */
  readonly augmentation: { readonly padding: number; readonly flip: boolean };
}

/** Bytes of one image. */
export function imageBytes(
  { height, width, channels }: Pick<Dataset, "height" | "width" | "channels">,
): number {
  return height * width * channels;
}

/** Values in [−1, 1] of bytes up to `maximum`. */
export function pixelsOf(bytes: Uint8Array, maximum: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(bytes, (byte) => byte / maximum * 2 - 1);
}

/** No images. */
export const noImages: ImageSet = { bytes: new Uint8Array(), labels: new Uint32Array(), count: 0 };

/** A copy of the images with these indices. */
export function selectImages({ bytes, labels, count }: ImageSet, indices: Uint32Array): ImageSet {
  const size = bytes.length / count;
  const chosen = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => chosen.set(bytes.subarray(index * size, (index + 1) * size), i * size));
  return { bytes: chosen, labels: indices.map((index) => labels[index]!), count: indices.length };
}

/** Joins sets of images of one format. */
export function joinSets(parts: readonly ImageSet[]): ImageSet {
  const total = (size: (part: ImageSet) => number) => parts.reduce((sum, part) => sum + size(part), 0);
  const bytes = new Uint8Array(total((part) => part.bytes.length));
  const labels = new Uint32Array(total((part) => part.count));
  let [byte, image] = [0, 0];
  for (const part of parts) {
    bytes.set(part.bytes, byte);
    labels.set(part.labels, image);
    byte += part.bytes.length;
    image += part.count;
  }
  return { bytes, labels, count: labels.length };
}
