import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { parseIdx } from "../../src/formats/idx.ts";
import { idx } from "./samples.ts";

Deno.test("parseIdx() reads sizes and elements", () => {
  const { shape, data } = parseIdx(idx([2, 3, 4], Array.from({ length: 24 }, (_, i) => i)));
  assert.deepEqual(shape, [2, 3, 4]);
  assert.deepEqual([...data], Array.from({ length: 24 }, (_, i) => i));
});

Deno.test("parseIdx() refuses what is no IDX file of bytes, or not complete", () => {
  const good = idx([2, 3], [1, 2, 3, 4, 5, 6]);
  const change = (at: number, value: number) => good.with(at, value) as Uint8Array;
  const cases: [Uint8Array, RegExp][] = [
    [change(0, 1), /no IDX file/],
    [change(3, 0), /no IDX file/],
    [change(3, 5), /no IDX file/],
    [change(2, 0x0d), /elements of type 13/],
    [change(7, 3), /6 bytes for shape \[3,3\], which takes 9/],
    [change(4, 0xff), /which takes/],
    [good.subarray(0, good.length - 1), /5 bytes for shape \[2,3\], which takes 6/],
    [good.subarray(0, 10), /truncated/],
    [new Uint8Array(3), /truncated/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => parseIdx(bytes),
      (error) => error instanceof FormatError && message.test(error.message),
    );
  }
});
