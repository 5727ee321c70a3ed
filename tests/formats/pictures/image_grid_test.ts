import { decode } from "fast-png";
import assert from "node:assert/strict";
import { ShapeError } from "../../../src/errors.ts";
import { imageGrid } from "../../../src/formats/pictures/image_grid.ts";
import { encodePng } from "../../../src/formats/pictures/png.ts";

Deno.test("imageGrid() lays images out row by row, enlarged, with grey between them and in empty cells", () => {
  const images = Float32Array.of(-1, 1, 0.5, -0.5, 0, 0);
  const grid = imageGrid(images, { count: 3, height: 1, width: 2, channels: 1 }, {
    columns: 2,
    scale: 2,
    gap: 1,
  });
  const rows = [
    "128 128 128 128 128 128 128 128 128 128 128",
    "128 0 0 255 255 128 191 191 64 64 128",
    "128 0 0 255 255 128 191 191 64 64 128",
    "128 128 128 128 128 128 128 128 128 128 128",
    "128 128 128 128 128 128 128 128 128 128 128",
    "128 128 128 128 128 128 128 128 128 128 128",
    "128 128 128 128 128 128 128 128 128 128 128",
  ];
  const decoded = decode(encodePng(grid));
  assert.deepEqual([decoded.width, decoded.height, decoded.channels], [11, 7, 1]);
  assert.equal([...decoded.data].join(" "), rows.join(" "));
});

Deno.test("imageGrid() keeps the channels of a pixel together and clamps values", () => {
  const { data } = imageGrid(Float32Array.of(-3, 0.2, 3), { count: 1, height: 1, width: 1, channels: 3 }, {
    scale: 1,
    gap: 0,
  });
  assert.deepEqual([...data], [0, 153, 255]);
});

Deno.test("imageGrid() makes a square of cells of at least 32 pixels by default", () => {
  const digits = imageGrid(new Float32Array(10 * 64), { count: 10, height: 8, width: 8, channels: 1 });
  assert.deepEqual([digits.width, digits.height], [4 * 34 + 2, 3 * 34 + 2]);
  const photographs = imageGrid(new Float32Array(4 * 3072), { count: 4, height: 32, width: 32, channels: 3 });
  assert.deepEqual([photographs.width, photographs.height], [2 * 34 + 2, 2 * 34 + 2]);
});

Deno.test("imageGrid() refuses values that are not images of the given shape", () => {
  const shape = { count: 1, height: 2, width: 2, channels: 1 };
  assert.throws(() => imageGrid(new Float32Array(5), shape), ShapeError);
  assert.throws(() => imageGrid(new Float32Array(8), { ...shape, channels: 2 }), ShapeError);
  assert.throws(() => imageGrid(new Float32Array(), { ...shape, count: 0 }), ShapeError);
});
