import assert from "node:assert/strict";
import { resizeBilinear, type ResizeBilinearShape } from "../../../src/kernels/images/resize_bilinear.ts";
import { position } from "../feature_maps.ts";
import { relativeError, runKernel, values } from "../harness.ts";

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

/** Position in the input of an output pixel's centre, along one axis. */
function sourceOf(place: number, extent: number, size: number): number {
  return Math.max(0, (place + 0.5) * extent / size - 0.5);
}

Deno.test("resizeBilinear() refuses what it does not support", () => {
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
