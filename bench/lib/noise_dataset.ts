import type { Dataset, ImageSet } from "../../src/data/dataset.ts";

/** Images of random bytes, because neither speed nor memory depends on what images show. */
function noise(count: number): ImageSet {
  const bytes = new Uint8Array(count * 3072);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2654435761) >>> 24;
  return { bytes, labels: Uint32Array.from({ length: count }, (_, i) => i % 10), count };
}

/** Noise in CIFAR-10's format, with the given number of training images. */
export function noiseLikeCifar10(trainCount: number): Dataset {
  return {
    name: "noise",
    height: 32,
    width: 32,
    channels: 3,
    maximum: 255,
    classNames: [..."0123456789"],
    train: noise(trainCount),
    test: noise(10),
    augmentation: { padding: 4, flip: true },
  };
}
