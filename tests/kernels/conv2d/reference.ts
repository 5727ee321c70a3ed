/** The definition of a convolution, against which its kernels are tested. */

import { type Conv2dShape, outputSize } from "../../../src/kernels/conv2d/shape.ts";

/**
 * Largest error relative to the largest value. A float32 sum of n products of values up to 1 is off by about √n · 2^-24
 * of its size. The longest sums here have 64 · 9 terms, or 500 pixels: 2e-6 with room for the worst of thousands.
 */
export const tolerance = 5e-6;

export const base: Conv2dShape = {
  batch: 2,
  height: 7,
  width: 5,
  inChannels: 8,
  outChannels: 12,
  kernel: 3,
  stride: 1,
  padding: 1,
};

/** Shapes that are not multiples of any kernel's tiles, and those of networks. */
export const unevenShapes: readonly Conv2dShape[] = [
  base,
  { ...base, batch: 1, height: 1, width: 1, inChannels: 4, outChannels: 4 },
  { ...base, inChannels: 20, outChannels: 36, padding: 0 },
  { ...base, stride: 2 },
  { ...base, stride: 2, height: 8, width: 8, inChannels: 16, outChannels: 16, batch: 5 },
  { ...base, stride: 3, padding: 2, height: 9, width: 10 },
  { ...base, kernel: 1, padding: 0 },
  { ...base, kernel: 1, padding: 0, stride: 2, height: 8, width: 6, inChannels: 16, outChannels: 32 },
  { ...base, height: 2, width: 2, batch: 9, inChannels: 64, outChannels: 64 },
];

/** Calls `visit` for each product of a convolution: indices into input, weight and output. */
export function products(
  shape: Conv2dShape,
  visit: (input: number, weight: number, output: number) => void,
): void {
  const { batch, height, width, inChannels, outChannels, kernel, stride, padding } = shape;
  const out = outputSize(shape);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < out.height; y++) {
      for (let x = 0; x < out.width; x++) {
        for (let ky = 0; ky < kernel; ky++) {
          for (let kx = 0; kx < kernel; kx++) {
            const [iy, ix] = [y * stride + ky - padding, x * stride + kx - padding];
            if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
            for (let c = 0; c < inChannels; c++) {
              const input = ((n * height + iy) * width + ix) * inChannels + c;
              const weight = ((ky * kernel + kx) * inChannels + c) * outChannels;
              const output = ((n * out.height + y) * out.width + x) * outChannels;
              for (let o = 0; o < outChannels; o++) visit(input, weight + o, output + o);
            }
          }
        }
      }
    }
  }
}
