/** Bytes of images, as a data set stores them on the device. */

import { values } from "./harness.ts";

/** Deterministic bytes up to `maximum`, and the words that hold them. */
export function dataset(length: number, maximum: number) {
  const bytes = Uint8Array.from(values(length, 5, 0, maximum + 1), Math.floor);
  bytes[0] = 0;
  bytes[1] = maximum;
  const words = new Uint32Array(Math.ceil(length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return { bytes, words };
}

/** One of these bytes as a value in [−1, 1]. */
export function scaled(value: number, maximum: number): number {
  return value / maximum * 2 - 1;
}
