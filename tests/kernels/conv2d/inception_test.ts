import assert from "node:assert/strict";
import {
  inceptionConv,
  inceptionConvOutputSize,
  type InceptionConvShape,
} from "../../../src/kernels/conv2d/inception.ts";
import { channelRange, position } from "../feature_maps.ts";
import { relativeError, runKernel, values } from "../harness.ts";

/** Sums of up to 500 products of values up to 1, each rounded to float32. */
const tolerance = 5e-6;

const square: InceptionConvShape = {
  batch: 2,
  height: 7,
  width: 5,
  inChannels: 8,
  outChannels: 20,
  kernelHeight: 3,
  kernelWidth: 3,
  stride: 1,
  paddingY: 1,
  paddingX: 1,
  outOffset: 0,
  outStride: 20,
};
const wide = { kernelHeight: 1, kernelWidth: 7, paddingY: 0, paddingX: 3 };
const tall = { kernelHeight: 7, kernelWidth: 1, paddingY: 3, paddingX: 0 };

/** Kernels, strides and paddings of the network, on sizes that are not multiples of any tile. */
const convolutions: readonly InceptionConvShape[] = [
  square,
  { ...square, outOffset: 8, outStride: 36 },
  { ...square, batch: 1, height: 1, width: 1, inChannels: 1, outChannels: 4, outStride: 4 },
  { ...square, inChannels: 3, stride: 2, paddingY: 0, paddingX: 0, height: 11, width: 9 },
  { ...square, inChannels: 3, outOffset: 4, outStride: 28 },
  { ...square, inChannels: 5, outChannels: 16, outStride: 16 },
  { ...square, inChannels: 6, stride: 2, height: 8, width: 8 },
  { ...square, stride: 2, paddingY: 0, paddingX: 0, height: 9, width: 10, outOffset: 16, outStride: 48 },
  { ...square, ...wide },
  { ...square, ...tall, outOffset: 20, outStride: 40 },
  { ...square, ...wide, kernelWidth: 3, paddingX: 1, inChannels: 12 },
  { ...square, ...tall, kernelHeight: 3, paddingY: 1, batch: 3 },
  { ...square, kernelHeight: 5, kernelWidth: 5, paddingY: 2, paddingX: 2, outChannels: 36, outStride: 36 },
  { ...square, kernelHeight: 1, kernelWidth: 1, paddingY: 0, paddingX: 0, inChannels: 20 },
];

for (const shape of convolutions) {
  const { kernelHeight, kernelWidth, inChannels, stride, outOffset, outStride } = shape;
  const title =
    `${kernelHeight}×${kernelWidth}, ${inChannels} channels, stride ${stride}, at ${outOffset}/${outStride}`;
  Deno.test(`inceptionConv() equals the definition: ${title}`, async () => {
    const { batch, height, width, outChannels } = shape;
    const input = values(batch * height * width * inChannels, 1);
    const weight = values(kernelHeight * kernelWidth * inChannels * outChannels, 2);
    const affine = values(2 * outChannels, 3);
    const expected = convolve(shape, input, weight, affine);
    const length = expected.length / outChannels * outStride;
    const { output } = await runKernel(inceptionConv, shape, { input, weight, affine, output: length });
    const inside = channelRange(output, shape, outChannels);
    assert(relativeError(inside.values, expected) < tolerance);
    assert(inside.othersUntouched, "channels outside the range were written");
    assert(expected.some((value) => value === 0) && expected.some((value) => value > 0));
  });
}

/** The convolution by its definition, with dense channels. */
function convolve(
  shape: InceptionConvShape,
  input: Float32Array,
  weight: Float32Array,
  affine: Float32Array,
): Float64Array {
  const { batch, height, width, inChannels, outChannels, kernelHeight, kernelWidth } = shape;
  const out = inceptionConvOutputSize(shape);
  return Float64Array.from({ length: batch * out.height * out.width * outChannels }, (_, i) => {
    const o = i % outChannels;
    const { image, y, x } = position(Math.floor(i / outChannels), out);
    let sum = 0;
    for (let tap = 0; tap < kernelHeight * kernelWidth; tap++) {
      const row = y * shape.stride + Math.floor(tap / kernelWidth) - shape.paddingY;
      const column = x * shape.stride + tap % kernelWidth - shape.paddingX;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const pixel = (image * height + row) * width + column;
      for (let c = 0; c < inChannels; c++) {
        sum += input[pixel * inChannels + c]! * weight[(tap * inChannels + c) * outChannels + o]!;
      }
    }
    return Math.max(0, sum * affine[o]! + affine[outChannels + o]!);
  });
}

Deno.test("inceptionConv() refuses what it does not support", () => {
  const conv = (change: Partial<InceptionConvShape>) => () =>
    inceptionConv.constants({ ...square, ...change });
  assert.throws(conv({ outChannels: 18 }), /inception_conv: outChannels must be a multiple of 4, not 18/);
  assert.throws(conv({ outOffset: 4 }), /inception_conv: channels 4 to 24 of 20/);
  assert.throws(conv({ height: 1, paddingY: 0 }), /inception_conv: no output of 1×5 pixels/);
});
