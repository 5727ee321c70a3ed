import type { ByteImage } from "../../formats/pictures/png.ts";

/**
 * The central square of a picture, resized to `size` by `size` pixels with bilinear interpolation. If it shrinks the
 * picture, the triangle is widened by the same factor, so that no pixel is skipped, like Pillow's `Image.resize` and
 * torchvision.
 */
export function cropAndResize({ width, height, channels, data }: ByteImage, size: number): Uint8Array {
  const side = Math.min(width, height);
  const left = Math.floor((width - side) / 2);
  const top = Math.floor((height - side) / 2);
  const weights = triangleWeights(side, size);
  const rows = new Float32Array(side * size * channels);
  for (let y = 0; y < side; y++) {
    weights.forEach(({ first, factors }, x) => {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        factors.forEach((factor, k) => {
          sum += factor * data[((top + y) * width + left + first + k) * channels + c]!;
        });
        rows[(y * size + x) * channels + c] = sum;
      }
    });
  }
  const result = new Uint8Array(size * size * channels);
  weights.forEach(({ first, factors }, y) => {
    for (let i = 0; i < size * channels; i++) {
      let sum = 0;
      factors.forEach((factor, k) => sum += factor * rows[(first + k) * size * channels + i]!);
      result[y * size * channels + i] = Math.round(sum);
    }
  });
  return result;
}

/** For each new pixel, the old pixels whose weighted mean it is. */
function triangleWeights(from: number, to: number): { first: number; factors: number[] }[] {
  const scale = from / to;
  const support = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(from, Math.floor(center + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, k) => {
      return Math.max(0, 1 - Math.abs((first + k + 0.5 - center) / support));
    });
    const total = raw.reduce((sum, value) => sum + value, 0);
    return { first, factors: raw.map((value) => value / total) };
  });
}
