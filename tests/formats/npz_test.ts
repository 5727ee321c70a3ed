import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { type NumpyArray, parseNpy, parseNpz, serializeNpy, serializeNpz } from "../../src/formats/npz.ts";
import { pythonWith, runPython } from "../python.ts";
import { withFiles } from "../temporary.ts";

const arrays = new Map<string, NumpyArray>([
  ["floats", { shape: [2, 3], data: Float32Array.of(1, -2.5, 3, NaN, Infinity, 0) }],
  ["doubles", { shape: [3], data: Float64Array.of(Math.PI, -0, 1e300) }],
  ["bytes", { shape: [2, 1, 2], data: Uint8Array.of(0, 1, 254, 255) }],
  ["integers", { shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) }],
  ["long", { shape: [1], data: BigInt64Array.of(-(2n ** 62n)) }],
  ["scalar", { shape: [], data: Float32Array.of(7) }],
  ["empty", { shape: [0, 5], data: new Float32Array() }],
]);

Deno.test("serializeNpz() and parseNpz() are inverse", async () => {
  assert.deepEqual(await parseNpz(serializeNpz(arrays)), arrays);
});

Deno.test("parseNpy() refuses objects, other types and orders, and what is not complete", () => {
  const header = (text: string) => {
    const bytes = serializeNpy({ shape: [4], data: new Float32Array(4) });
    bytes.set(new TextEncoder().encode(text.padEnd(100)), 10);
    return bytes;
  };
  const cases: [Uint8Array, RegExp][] = [
    [header("{'descr': '|O', 'fortran_order': False, 'shape': (4,), }"), /elements of type \|O are not read/],
    [header("{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }"), /elements of type >f4/],
    [header("{'descr': '<f4', 'fortran_order': True, 'shape': (4,), }"), /Fortran order/],
    [header("{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740993,), }"), /which has/],
    [header("__import__('os').system('true')"), /header is damaged/],
    [new Uint8Array(20), /no NumPy file/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => parseNpy(bytes),
      (error) => error instanceof FormatError && message.test(error.message),
      `${message}`,
    );
  }
  const whole = serializeNpy({ shape: [3], data: Float64Array.of(1, 2, 3) });
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => parseNpy(whole.slice(0, length)), FormatError);
  }
});

const python = await pythonWith("numpy");

Deno.test({
  name: "serializeNpz() and NumPy read each other's files (skipped without python3-numpy)",
  ignore: python === undefined,
  async fn() {
    await withFiles({ "ours.npz": serializeNpz(arrays) }, async (folder) => {
      const script = `
import sys, numpy
f = numpy.load(sys.argv[1] + "/ours.npz")
assert f["floats"].dtype == numpy.float32 and f["floats"].shape == (2, 3) and f["floats"][0, 1] == -2.5
assert f["long"][0] == -2**62 and f["scalar"].shape == () and f["empty"].shape == (0, 5) and f["bytes"][1, 0, 1] == 255
numpy.savez(sys.argv[1] + "/plain.npz", **{k: f[k] for k in f})
numpy.savez_compressed(sys.argv[1] + "/packed.npz", **{k: f[k] for k in f})`;
      await runPython(python!, script, folder);
      for (const name of ["plain", "packed"]) {
        assert.deepEqual(await parseNpz(await Deno.readFile(`${folder}/${name}.npz`)), arrays);
      }
    });
  },
});
