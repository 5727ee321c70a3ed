import assert from "node:assert/strict";
import {
  inceptionConv,
  inceptionConvOutputSize,
  type InceptionConvShape,
} from "../../../src/kernels/conv2d/inception.ts";
import { pool2d, pool2dOutputSize, type Pool2dShape } from "../../../src/kernels/pool/pool2d.ts";
import { resizeBilinear, type ResizeBilinearShape } from "../../../src/kernels/images/resize_bilinear.ts";
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

/** Kernels, strides and paddings of the network, on sizes that divide no tile. */
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
    const inside = range(output, shape, outChannels);
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

const window: Pool2dShape = {
  batch: 2,
  height: 7,
  width: 9,
  channels: 12,
  kernel: 3,
  stride: 1,
  padding: 1,
  average: false,
  outOffset: 0,
  outStride: 12,
};

/** The network's pools, and others. */
const pools: readonly Pool2dShape[] = [
  window,
  { ...window, stride: 2, padding: 0 },
  { ...window, stride: 2, padding: 0, height: 8, width: 6, outOffset: 8, outStride: 24 },
  { ...window, batch: 3, height: 1, width: 1, channels: 4, outStride: 4 },
  { ...window, kernel: 2, stride: 3, padding: 1, outOffset: 4, outStride: 16 },
];

for (const average of [false, true]) {
  Deno.test(`pool2d() equals the definition: ${average ? "mean" : "maximum"}`, async () => {
    for (const pool of pools) {
      const shape = { ...pool, average };
      const { batch, height, width, channels, outStride } = shape;
      // All values are negative: a maximum that began at zero would show.
      const input = values(batch * height * width * channels, 1, -2, -1);
      const expected = poolBy(shape, input);
      const length = expected.length / channels * outStride;
      const { output } = await runKernel(pool2d, shape, { input, output: length });
      const inside = range(output, shape, channels);
      assert(relativeError(inside.values, expected) < 1e-6, JSON.stringify(shape));
      assert(inside.othersUntouched, "channels outside the range were written");
    }
  });
}

/** Pooling by its definition, with dense channels. */
function poolBy(shape: Pool2dShape, input: Float32Array): Float64Array {
  const { batch, height, width, channels, kernel, stride, padding, average } = shape;
  const out = pool2dOutputSize(shape);
  return Float64Array.from({ length: batch * out.height * out.width * channels }, (_, i) => {
    const { image, y, x } = position(Math.floor(i / channels), out);
    const seen: number[] = [];
    for (let tap = 0; tap < kernel * kernel; tap++) {
      const row = y * stride + Math.floor(tap / kernel) - padding;
      const column = x * stride + tap % kernel - padding;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      seen.push(input[((image * height + row) * width + column) * channels + i % channels]!);
    }
    return average ? seen.reduce((sum, value) => sum + value, 0) / seen.length : Math.max(...seen);
  });
}

Deno.test("resizeBilinear() equals the definition, larger and smaller", async () => {
  const values01 = { valueScale: 1, valueShift: 0, fromCorner: false };
  const plain = { batch: 2, height: 5, width: 7, channels: 3, size: 11, ...values01 };
  const shapes: readonly ResizeBilinearShape[] = [
    plain,
    { ...plain, valueScale: 2, valueShift: -1 },
    { ...plain, size: 3, channels: 1 },
    { ...plain, height: 1, width: 1, channels: 5 },
    { ...plain, height: 32, width: 32, size: 37 },
    { ...plain, fromCorner: true },
    { ...plain, fromCorner: true, size: 3, channels: 1 },
    { ...plain, fromCorner: true, height: 32, width: 32, size: 299 },
  ];
  for (const shape of shapes) {
    const { batch, height, width, channels, size, valueScale, valueShift, fromCorner } = shape;
    const input = values(batch * height * width * channels, 1, 0, 1);
    const expected = Float64Array.from({ length: batch * size * size * channels }, (_, i) => {
      const { image, y, x } = position(Math.floor(i / channels), { height: size, width: size });
      const [row, column] = fromCorner
        ? [y * height / size, x * width / size]
        : [sourceOf(y, height, size), sourceOf(x, width, size)];
      let sum = 0;
      for (let corner = 0; corner < 4; corner++) {
        const [below, right] = [corner >> 1, corner & 1];
        const sourceRow = Math.min(Math.floor(row) + below, height - 1);
        const sourceColumn = Math.min(Math.floor(column) + right, width - 1);
        const share = (below ? row % 1 : 1 - row % 1) * (right ? column % 1 : 1 - column % 1);
        sum += share *
          input[((image * height + sourceRow) * width + sourceColumn) * channels + i % channels]!;
      }
      return sum * valueScale + valueShift;
    });
    const { output } = await runKernel(resizeBilinear, shape, { input, output: expected.length });
    assert(relativeError(output, expected) < 1e-6, JSON.stringify(shape));
  }
});

/** Where in the input an output pixel's centre lies, along one axis. */
function sourceOf(place: number, extent: number, size: number): number {
  return Math.max(0, (place + 0.5) * extent / size - 0.5);
}

Deno.test("the kernels of the inception network refuse what they do not support", () => {
  const conv = (change: Partial<InceptionConvShape>) => () =>
    inceptionConv.constants({ ...square, ...change });
  assert.throws(conv({ outChannels: 18 }), /inception_conv: outChannels must be a multiple of 4, not 18/);
  assert.throws(conv({ outOffset: 4 }), /inception_conv: channels 4 to 24 of 20/);
  assert.throws(conv({ height: 1, paddingY: 0 }), /inception_conv: no output of 1×5 pixels/);
  const pool = (change: Partial<Pool2dShape>) => () => pool2d.constants({ ...window, ...change });
  assert.throws(pool({ channels: 6 }), /pool2d: channels must be a multiple of 4, not 6/);
  assert.throws(pool({ padding: 3 }), /pool2d: padding 3 with kernel 3/);
  assert.throws(pool({ outOffset: 4 }), /pool2d: channels 4 to 16 of 12/);
  const resize = {
    batch: 1,
    height: 1,
    width: 1,
    channels: 1,
    valueScale: 1,
    valueShift: 0,
    fromCorner: false,
  };
  assert.throws(
    () => resizeBilinear.constants({ ...resize, size: 40_000 }),
    /resize_bilinear: a side of 40000 pixels/,
  );
});

/** Image, row and column of a pixel by its number. */
function position(pixel: number, { height, width }: { height: number; width: number }) {
  return {
    image: Math.floor(pixel / (height * width)),
    y: Math.floor(pixel / width) % height,
    x: pixel % width,
  };
}

/** The channels that a kernel should have written, and whether all others are still poisoned. */
function range(
  output: Float32Array,
  { outOffset, outStride }: { outOffset: number; outStride: number },
  channels: number,
): { values: Float32Array; othersUntouched: boolean } {
  const isInside = (i: number) => i % outStride >= outOffset && i % outStride < outOffset + channels;
  return {
    values: output.filter((_, i) => isInside(i)),
    othersUntouched: output.every((value, i) => isInside(i) || Number.isNaN(value)),
  };
}
