import { imageGrid } from "../../formats/pictures/image_grid.ts";
import { encodePng } from "../../formats/pictures/png.ts";
import type { HostTensor } from "../../formats/pytorch/layout.ts";

/** Number of images in a picture of samples. */
const sampleCount = 100;

/** A PNG of entries from anywhere in a replay buffer, `[n, H, W, C]`. */
export function samplesPicture({ shape, data }: HostTensor): Uint8Array {
  const [capacity = 0, height = 0, width = 0, channels = 0] = shape;
  const pixels = height * width * channels;
  const count = Math.min(sampleCount, capacity);
  const images = new Float32Array(count * pixels);
  for (let i = 0; i < count; i++) {
    const entry = Math.floor(i * capacity / count);
    images.set(data.subarray(entry * pixels, (entry + 1) * pixels), i * pixels);
  }
  return encodePng(imageGrid(images, { count, height, width, channels }));
}
