import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import {
  npzNames,
  type NumpyArray,
  type ParsedNumpyArray,
  parseNpy,
  parseNpz,
  serializeNpy,
  serializeNpz,
} from "../../src/formats/npz.ts";
import { zip } from "../../src/formats/archives/zip_writer.ts";
import { pythonWith, runPython } from "../python.ts";
import { refuses } from "../refusal.ts";
import { withFiles } from "../temporary.ts";

const arrays = new Map<string, ParsedNumpyArray>([
  ["floats", { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, -2.5, 3, NaN, Infinity, 0) }],
  ["doubles", { dtype: "float64", shape: [3], data: Float64Array.of(Math.PI, -0, 1e300) }],
  ["bytes", { dtype: "uint8", shape: [2, 1, 2], data: Uint8Array.of(0, 1, 254, 255) }],
  ["integers", { dtype: "int32", shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) }],
  ["long", { dtype: "int64", shape: [1], data: BigInt64Array.of(-(2n ** 62n)) }],
  ["block/0/mask", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ["scalar", { dtype: "float32", shape: [], data: Float32Array.of(7) }],
  ["empty", { dtype: "float32", shape: [0, 5], data: new Float32Array() }],
]);

/** A file with any header, for files that the serializer would never write. */
function npy(text: string, data: ArrayLike<number>, major = 1, minor = 0): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(text);
  const start = major === 1 ? 10 : 12;
  const bytes = new Uint8Array(start + header.length + data.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), major, minor]);
  const view = new DataView(bytes.buffer);
  if (major === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  bytes.set(header, start);
  bytes.set(data, start + header.length);
  return bytes;
}

function header(descr: string, shape = "(2,)", order = "False"): string {
  return `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
}

Deno.test("serializeNpz() and parseNpz() are inverse", async () => {
  assert.deepEqual(await parseNpz(serializeNpz(arrays)), arrays);
  assert.deepEqual(await parseNpz(serializeNpz(new Map())), new Map());
});

Deno.test("parseNpz() leaves files alone that are no arrays, and says which array is damaged", async () => {
  const files = new Map([["x.npy", serializeNpy(arrays.get("long")!)], ["notes.txt", Uint8Array.of(1)]]);
  assert.deepEqual([...(await parseNpz(zip(files))).keys()], ["x"]);
  const damaged = new Map([...files, ["w.npy", Uint8Array.of(1, 2, 3)] as const]);
  assert.deepEqual(
    [...(await parseNpz(zip(damaged), ["x"])).keys()],
    ["x"],
    "an array that nobody asked for",
  );
  assert.deepEqual(npzNames(zip(damaged)), ["x", "w"]);
  await refuses(parseNpz(zip(damaged)), FormatError, /^npz: array "w": npy: this is no NumPy file/);
});

Deno.test("serializeNpy() aligns the elements, ends the header with a newline and infers types", () => {
  for (const [name, { data, shape, dtype }] of arrays) {
    const bytes = serializeNpy({ dtype, shape, data });
    const start = bytes.length - data.byteLength;
    assert.equal(start % 64, 0, name);
    assert.equal(bytes[start - 1], 0x0a);
    const inferred = parseNpy(serializeNpy({ shape, data }));
    assert.deepEqual(inferred, { dtype: dtype === "bool" ? "uint8" : dtype, shape, data });
  }
});

Deno.test("serializeNpy() refuses elements of another type or number than it is told", () => {
  const cases: [NumpyArray, RegExp][] = [
    [{ shape: [5], data: new Float32Array(2) }, /2 elements for shape \[5\], which has 5/],
    [{ shape: [], data: new Float32Array() }, /0 elements/],
    [{ shape: [-1], data: new Float32Array(1) }, /no array has the shape/],
    [{ shape: [0.5, 2], data: new Float32Array(1) }, /no array has the shape/],
    [{ shape: Array(65).fill(1), data: new Float32Array(1) }, /no array has the shape/],
    [{ dtype: "float64", shape: [1], data: new Float32Array(1) }, /Float32Array does not hold .* float64/],
    [{ dtype: "bool", shape: [1], data: new Int32Array(1) }, /Int32Array does not hold .* bool/],
  ];
  for (const [array, message] of cases) {
    assert.throws(() => serializeNpy(array), { name: "FormatError", message });
    assert.throws(() => serializeNpz(new Map([["x", array]])), {
      name: "FormatError",
      message: /^npz: array "x"/,
    });
  }
});

Deno.test("parseNpy() converts float16 and big-endian elements, aligned or not, and leaves the file as it is", () => {
  const cases: [string, number[], Partial<ParsedNumpyArray>][] = [
    ["'<f2'", [0x00, 0x3e, 0xff, 0xfb], { dtype: "float32", data: Float32Array.of(1.5, -65504) }],
    ["'>f2'", [0x3e, 0x00, 0xfb, 0xff], { dtype: "float32", data: Float32Array.of(1.5, -65504) }],
    ["'>f4'", [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], { dtype: "float32", data: Float32Array.of(1.5, -2) }],
    ["'>f8'", [0x3f, 0xf8, ...Array(14).fill(0)], { dtype: "float64", data: Float64Array.of(1.5, 0) }],
    ["'>i4'", [0, 0, 1, 2, 255, 255, 255, 255], { dtype: "int32", data: Int32Array.of(258, -1) }],
    ["'>i8'", [...Array(7).fill(0), 9, ...Array(8).fill(255)], {
      dtype: "int64",
      data: BigInt64Array.of(9n, -1n),
    }],
    ["'|b1'", [1, 0], { dtype: "bool", data: Uint8Array.of(1, 0) }],
  ];
  for (const [descr, data, expected] of cases) {
    for (const text of [header(descr), `${header(descr)} \n`]) {
      const bytes = npy(text, data);
      const before = bytes.slice();
      assert.deepEqual(parseNpy(bytes), { shape: [2], ...expected }, descr);
      assert.deepEqual(bytes, before);
    }
  }
});

Deno.test("parseNpy() reads versions 1.0, 2.0 and 3.0, and no other", () => {
  for (const major of [1, 2, 3]) {
    assert.deepEqual(parseNpy(npy(header("'|u1'"), [3, 4], major)).data, Uint8Array.of(3, 4));
  }
  for (const [major, minor] of [[0, 0], [1, 1], [4, 0], [255, 255]]) {
    assert.throws(() => parseNpy(npy(header("'|u1'"), [3, 4], major, minor)), /version .* is not read/);
  }
});

Deno.test("parseNpy() refuses objects, other types and orders, and what is not a header", () => {
  const damaged = /header is damaged/;
  const cases: [Uint8Array, RegExp][] = [
    [npy(header("'|O'"), [0, 0]), /Python objects \(\|O\).*nothing is unpickled/],
    [npy(header("'O'"), [0, 0]), /Python objects/],
    [npy(header("[('a', '<f4'), ('b', '|O')]"), []), /structures are not read/],
    [npy(header("'<U3'"), []), /elements of type "<U3" are not read/],
    [npy(header("'<c8'"), []), /elements of type "<c8" are not read/],
    [npy(header("'|f4'"), Array(8)), /elements of type "\|f4"/],
    [npy(header("''"), []), /elements of type ""/],
    [npy(header("'<constructor'"), []), /elements of type "<constructor"/],
    [npy(header("'<f4'", "(2,)", "True"), Array(8)), /Fortran order/],
    [npy(header("'|u1'", "(9007199254740993,)"), []), /too large extents/],
    [npy(header("'|u1'", `(${"1,".repeat(65)})`), [1]), /too many/],
    [npy(header("'<f8'", "(9007199254740991, 9007199254740991)"), []), /truncated/],
    [npy(header("'<f4'"), Array(7)), /7 bytes of elements, but shape \[2\] takes 8; the file is truncated/],
    [npy(header("'<f4'"), Array(9)), /9 bytes of elements, but shape \[2\] takes 8$/],
    [npy(header("'|u1'", "(2)"), [1, 2]), damaged],
    [npy(header("'|u1'", "(,2)"), [1, 2]), damaged],
    [npy(header("'|u1'", "(-2,)"), [1, 2]), damaged],
    [npy(header("'|u1'", "(1 2,)"), [1, 2]), damaged],
    [npy(`junk ${header("'|u1'")}`, [1, 2]), damaged],
    [npy(`${header("'|u1'")} junk`, [1, 2]), damaged],
    [npy(`{'descr': '|u1', ${header("'|O'").slice(1)}`, [1, 2]), damaged],
    [npy("__import__('os').system('true')", []), damaged],
    [npy(" ".repeat(10_001), [], 2), /header of 10001 bytes; at most 10000/],
    [new Uint8Array(20), /no NumPy file/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => parseNpy(bytes), (error) => {
      assert.ok(error instanceof FormatError, String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
});

Deno.test("parseNpy() and parseNpz() throw nothing but FormatError for truncated files", async () => {
  for (const whole of [serializeNpy(arrays.get("doubles")!), npy(header("'<f2'"), [1, 2, 3, 4], 3)]) {
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => parseNpy(whole.subarray(0, length)), { name: "FormatError", message: /^npy: / });
    }
  }
  const archive = serializeNpz(arrays);
  for (let length = 0; length < archive.length; length++) {
    await refuses((async () => await parseNpz(archive.slice(0, length)))(), FormatError, /^(zip|npz): /);
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
assert f["doubles"].dtype == numpy.float64 and f["integers"].dtype == numpy.int32
assert f["long"][0] == -2**62 and f["scalar"].shape == () and f["empty"].shape == (0, 5) and f["bytes"][1, 0, 1] == 255
assert f["block/0/mask"].dtype == bool and list(f["block/0/mask"]) == [True, False, True]
numpy.savez(sys.argv[1] + "/plain.npz", **{k: f[k] for k in f})
numpy.savez_compressed(sys.argv[1] + "/packed.npz", **{k: f[k] for k in f})
big = {k: f[k].astype(f[k].dtype.newbyteorder(">")) for k in f}
numpy.savez(sys.argv[1] + "/big.npz", **big)
half = numpy.array([[1.5, -65504], [2**-24, numpy.inf]], "f2")
numpy.savez(sys.argv[1] + "/half.npz", half=half)
numpy.save(sys.argv[1] + "/fortran.npy", numpy.asfortranarray(f["floats"]))
numpy.save(sys.argv[1] + "/objects.npy", numpy.array([{}], object), allow_pickle=True)
numpy.save(sys.argv[1] + "/structures.npy", numpy.zeros(2, [("a", "f4"), ("b", "i4")]))`;
      await runPython(python!, script, folder);
      const load = async (name: string) => await Deno.readFile(`${folder}/${name}`);
      for (const name of ["plain.npz", "packed.npz", "big.npz"]) {
        assert.deepEqual(await parseNpz(await load(name)), arrays, name);
      }
      const half = (await parseNpz(await load("half.npz"))).get("half");
      const data = Float32Array.of(1.5, -65504, 2 ** -24, Infinity);
      assert.deepEqual(half, { dtype: "float32", shape: [2, 2], data });
      for (
        const [name, reason] of [["fortran", /Fortran/], ["objects", /Python objects/], [
          "structures",
          /structures/,
        ]] as const
      ) {
        const bytes = await load(`${name}.npy`);
        assert.throws(() => parseNpy(bytes), { name: "FormatError", message: reason });
      }
    });
  },
});
