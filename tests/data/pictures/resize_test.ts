import assert from "node:assert/strict";
import { cropAndResize } from "../../../src/data/pictures/resize.ts";
import { pythonWith, runPython } from "../../python.ts";

const picture = (width: number, height: number) => ({
  width,
  height,
  channels: 3 as const,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) % 256),
});

Deno.test("cropAndResize() keeps a square of the right size as it is, and cuts out the middle of others", () => {
  const square = picture(5, 5);
  assert.deepEqual(cropAndResize(square, 5), square.data);
  const wide = picture(9, 5);
  const middle = Array.from(
    { length: 5 },
    (_, y) => [...wide.data.subarray((y * 9 + 2) * 3, (y * 9 + 7) * 3)],
  ).flat();
  assert.deepEqual([...cropAndResize(wide, 5)], middle);
});

Deno.test("cropAndResize() keeps one colour, and averages when it shrinks by whole factors", () => {
  const flat = { width: 40, height: 30, channels: 3 as const, data: new Uint8Array(3600).fill(77) };
  assert(cropAndResize(flat, 8).every((value) => value === 77));
  assert(cropAndResize(flat, 64).every((value) => value === 77));
});

const python = await pythonWith("PIL.Image");

Deno.test({
  name: "cropAndResize() equals Pillow's bilinear filter within rounding (skipped without python3-pil)",
  ignore: python === undefined,
  async fn() {
    for (const [width, height, size] of [[50, 37, 32], [20, 20, 32], [178, 218, 64], [33, 32, 8]] as const) {
      const script = `
from PIL import Image
w, h, n = ${width}, ${height}, ${size}
picture = Image.frombytes("RGB", (w, h), bytes((i * 7919) % 256 for i in range(w * h * 3)))
s = min(w, h); left, top = (w - s) // 2, (h - s) // 2
print(" ".join(str(v) for v in picture.crop((left, top, left + s, top + s)).resize((n, n), Image.BILINEAR).tobytes()))`;
      const expected = (await runPython(python!, script)).trim().split(" ").map(Number);
      const resized = cropAndResize(picture(width, height), size);
      // Pillow also rounds to bytes between the two directions, and rounds its weights to 22 bits.
      assert(
        resized.every((value, i) => Math.abs(value - expected[i]!) <= 1),
        `${width}×${height} → ${size}`,
      );
    }
  },
});
