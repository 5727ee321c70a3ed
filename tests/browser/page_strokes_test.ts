import assert from "node:assert/strict";
import { fitToFrame, penRadius, rasterise } from "../../web/page/strokes.ts";

Deno.test("a drawing becomes shares of inked bitmap pixels in [−1, 1]", () => {
  const horizontal = rasterise([[{ x: 0, y: 0.5 }, { x: 1, y: 0.5 }]], 8);
  // The pen's radius of 1.6 reaches two of 32 rows above and two below the middle: half of the blocks there.
  horizontal.forEach((value, i) => assert.equal(value, [3, 4].includes(Math.floor(i / 8)) ? 0 : -1));
  assert.deepEqual(rasterise([], 8), new Float32Array(64).fill(-1));
  const everything = [{ x: 0, y: 0 }, { x: 1, y: 1 }];
  for (const value of rasterise([everything], 28)) assert.ok(value >= -1 && value <= 1);
});

Deno.test("a drawing is fitted to the frame in its longer direction, and centred", () => {
  const [fitted] = fitToFrame([[{ x: 0.1, y: 0.2 }, { x: 0.2, y: 0.6 }]]);
  const [first, last] = fitted!;
  assert.ok(Math.abs(first!.y - penRadius) < 1e-12 && Math.abs(last!.y - (1 - penRadius)) < 1e-12);
  assert.ok(Math.abs((first!.x + last!.x) / 2 - 0.5) < 1e-12);
  assert.ok(Math.abs((last!.x - first!.x) / (last!.y - first!.y) - 0.25) < 1e-12, "the shape stays");
  assert.deepEqual(fitToFrame([]), []);
  assert.deepEqual(fitToFrame([[{ x: 0.9, y: 0.9 }]]), [[{ x: 0.5, y: 0.5 }]], "a dot");
});
