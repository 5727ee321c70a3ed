import { decode, decodeApng } from "fast-png";
import assert from "node:assert/strict";
import { ShapeError } from "../../../src/errors.ts";
import { type ByteImage, encodeApng, encodePng } from "../../../src/formats/pictures/png.ts";

function image(width: number, height: number, channels: 1 | 3, phase = 0): ByteImage {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + phase * 11) & 255);
  return { width, height, channels, data };
}

Deno.test("encodePng() writes grey and RGB images that decode to the same pixels", () => {
  for (const channels of [1, 3] as const) {
    const original = image(7, 5, channels);
    const decoded = decode(encodePng(original), { checkCrc: true });
    assert.deepEqual({ ...original, depth: 8 }, {
      width: decoded.width,
      height: decoded.height,
      channels: decoded.channels,
      depth: decoded.depth,
      data: decoded.data,
    });
  }
});

Deno.test("encodePng() refuses data that do not fill the image", () => {
  assert.throws(() => encodePng({ ...image(7, 5, 3), channels: 1 }), ShapeError);
  assert.throws(() => encodePng(image(0, 5, 3)), ShapeError);
});

Deno.test("encodeApng() writes every frame with its delay, looping for ever", () => {
  for (const channels of [1, 3] as const) {
    const frames = [0, 1, 2].map((phase) => image(6, 4, channels, phase));
    const bytes = encodeApng(frames, 40_000);
    const decoded = decodeApng(bytes, { checkCrc: true });
    assert.deepEqual(decoded.frames.map(({ data }) => data), frames.map(({ data }) => data));
    assert.deepEqual([decoded.numberOfFrames, decoded.numberOfPlays], [3, 0]);
    for (const frame of decoded.frames) assert.equal(frame.delayNumber / frame.delayDenominator, 40);
    assert.deepEqual(decoded.frames.map(({ sequenceNumber }) => sequenceNumber), [0, 1, 3]);
    assert.deepEqual(decode(bytes).data, frames[0]!.data);
  }
});

Deno.test("encodeApng() refuses no frames, frames of different sizes and impossible delays", () => {
  assert.throws(() => encodeApng([], 100), ShapeError);
  assert.throws(() => encodeApng([image(6, 4, 1), image(4, 6, 1)], 100), ShapeError);
  for (const delay of [0, 1.5, 65536]) assert.throws(() => encodeApng([image(6, 4, 1)], delay), RangeError);
});
