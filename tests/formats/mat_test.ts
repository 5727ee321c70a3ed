import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { parseMat } from "../../src/formats/mat.ts";
import { pythonWith, runPython } from "../python.ts";
import { withFiles } from "../temporary.ts";
import { refuses } from "../refusal.ts";
import { mat, type MatVariable } from "./samples.ts";

const images: MatVariable = {
  name: "X",
  shape: [2, 3, 1, 5],
  class: 9,
  type: 2,
  data: Array.from({ length: 30 }, (_, i) => 7 * i % 256),
};
const labels: MatVariable = { name: "y", shape: [5, 1], class: 6, type: 9, data: [10, 1, 2.5, -3, 4] };
const small: MatVariable = { name: "s", shape: [1, 3], class: 6, type: 2, data: [1, 2, 3] };

Deno.test("parseMat() reads arrays in both byte orders, compressed or not", async () => {
  for (const little of [true, false]) {
    for (const compressed of [true, false]) {
      const variables = [images, labels, small].map((variable) => ({ ...variable, compressed }));
      const arrays = await parseMat(mat(variables, little), 1000);
      assert.deepEqual([...arrays.keys()], ["X", "y", "s"]);
      for (const { name, shape, data } of variables) {
        assert.deepEqual(arrays.get(name)!.shape, shape);
        assert.deepEqual([...arrays.get(name)!.data], data);
      }
      assert(arrays.get("X")!.data instanceof Uint8Array);
    }
  }
});

Deno.test("parseMat() leaves out what is no real numeric array", async () => {
  const others = [{ ...labels, class: 1 }, { ...labels, class: 4 }, { ...labels, class: 14 }, {
    ...labels,
    complex: true,
  }];
  const arrays = await parseMat(mat([...others, small]), 1000);
  assert.deepEqual([...arrays.keys()], ["s"]);
});

Deno.test("parseMat() reads plain variables after a compressed one, which leaves them unaligned", async () => {
  for (let length = 1; length <= 8; length++) {
    const name = "abcdefgh".slice(0, length);
    const arrays = await parseMat(mat([{ ...labels, name, compressed: true }, images, small]), 1000);
    assert.deepEqual([...arrays.keys()], [name, "X", "s"]);
  }
});

Deno.test("parseMat() gives bytes for class uint8, however they are stored, and refuses what is none", async () => {
  const wide = { ...small, class: 9, type: 4, data: [1, 2, 255] };
  assert.deepEqual((await parseMat(mat([wide]), 1000)).get("s")!.data, Uint8Array.of(1, 2, 255));
  await refuses(parseMat(mat([{ ...wide, data: [1, 2, 256] }]), 1000), FormatError, /256 is not a byte/);
});

Deno.test("parseMat() refuses what is damaged, of another version or larger than allowed", async () => {
  const bomb = { ...images, shape: [1000, 1000], data: Array(1_000_000).fill(0), compressed: true };
  await refuses(parseMat(mat([bomb]), 100_000), FormatError, /MAT: .*unpack to more than/);
  const many = { ...labels, shape: [100, 1], type: 2, data: Array(100).fill(1) };
  await refuses(parseMat(mat([many]), 700), FormatError, /takes 800 bytes, but only 700 are still allowed/);
  const mismatch = { ...labels, shape: [6, 1] };
  await refuses(
    parseMat(mat([mismatch]), 1000),
    FormatError,
    /shape \[6,1\] takes 48 bytes, but 40 are stored/,
  );
  await refuses(
    parseMat(mat([small]).subarray(0, 100), 1000),
    FormatError,
    /100 bytes are too few for a header/,
  );
  await refuses(parseMat(mat([small]).with(125, 2) as Uint8Array<ArrayBuffer>, 1000), FormatError, /-v7\.3/);
  await refuses(
    parseMat(mat([small]).with(126, 0) as Uint8Array<ArrayBuffer>, 1000),
    FormatError,
    /not a Level 5/,
  );
  const whole = mat([images, { ...labels, compressed: true }, small]);
  for (let length = 128; length < whole.length; length++) {
    try {
      await parseMat(whole.slice(0, length), 1000);
    } catch (error) {
      assert.ok(error instanceof FormatError, `${length} bytes: ${error}`);
    }
  }
});

const python = await pythonWith("scipy.io");

Deno.test({
  name: "parseMat() reads what SciPy writes (skipped without python3-scipy)",
  ignore: python === undefined,
  async fn() {
    const script = `
import sys, numpy, scipy.io
x = (numpy.arange(32*32*3*4) % 251).astype(numpy.uint8).reshape(32, 32, 3, 4)
for c in (False, True):
    scipy.io.savemat(f"{sys.argv[1]}/{c}.mat", {"X": x, "y": numpy.array([[10], [1], [2], [3]]), "t": "text"}, do_compression=c)
print(" ".join(map(str, x.flatten(order="F"))))`;
    await withFiles({}, async (folder) => {
      const expected = (await runPython(python!, script, folder)).trim().split(" ").map(Number);
      for (const name of ["False", "True"]) {
        const arrays = await parseMat(await Deno.readFile(`${folder}/${name}.mat`), 2 ** 20);
        assert.deepEqual(arrays.get("X")!.shape, [32, 32, 3, 4]);
        assert.deepEqual([...arrays.get("X")!.data], expected);
        // A double cannot hold int64, which is NumPy's default.
        assert.equal(arrays.has("y"), false);
      }
    });
  },
});
