/** Images that no data set contains, to test whether a model notices. */

import { Purpose, RandomStream } from "../random/philox.ts";
import { type Dataset, imageBytes, type ImageSet, selectImages } from "./dataset.ts";
import type { ImageFormat } from "./device_images.ts";
import { Draw, drawnOrder } from "./draw.ts";

/** Images of a batch in the official evaluation, which interpolates between neighbouring batches. */
const batch = 100;

/** Images whose every value is drawn uniformly. */
export function noiseImages(format: ImageFormat, count: number, seed: number): ImageSet {
  const stream = new RandomStream(seed, Purpose.noiseImages, 0);
  const length = count * imageBytes(format);
  const bytes = Uint8Array.from({ length }, (_, i) => stream.integer(i, format.maximum + 1));
  return { bytes, labels: new Uint32Array(count), count };
}

/** Images of one colour each, drawn uniformly. */
export function constantImages(format: ImageFormat, count: number, seed: number): ImageSet {
  const stream = new RandomStream(seed, Purpose.noiseImages, 1);
  const { channels } = format;
  const size = imageBytes(format);
  const bytes = Uint8Array.from({ length: count * size }, (_, i) => {
    return stream.integer(Math.floor(i / size) * channels + i % channels, format.maximum + 1);
  });
  return { bytes, labels: new Uint32Array(count), count };
}

/**
 * Means (x_i + x_j)/2 of test images with those of the batch before, as in the official evaluation, rounded to whole
 * bytes. A folder's pictures come class by class, while an official test set mixes the classes, so they are mixed
 * first.
 */
export function interpolatedImages(dataset: Dataset): ImageSet {
  const { name, test } = dataset;
  const { bytes, count } = name === "images"
    ? selectImages(test, drawnOrder(test.count, Draw.interpolation))
    : test;
  const distance = Math.min(batch, Math.floor(count / 2));
  const offset = distance * imageBytes(dataset);
  const mixed = Uint8Array.from({ length: bytes.length - offset }, (_, i) => {
    return (bytes[i]! + bytes[i + offset]! + 1) >> 1;
  });
  return { bytes: mixed, labels: new Uint32Array(count - distance), count: count - distance };
}
