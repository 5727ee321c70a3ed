import fc from "fast-check";
import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import {
  type DType,
  float32Of,
  type NamedTensor,
  numbersOf,
  openSafetensors,
  parseSafetensors,
  serializeSafetensors,
} from "../../src/formats/safetensors.ts";

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const example: ReadonlyMap<string, NamedTensor> = new Map([
  ["weight", { dtype: "F32", shape: [2, 3], data: bytesOf(Float32Array.of(1, -2, 3.5, 0, 1e-40, 6)) }],
  ["count", { dtype: "I64", shape: [], data: bytesOf(BigInt64Array.of(-5n)) }],
  ["empty", { dtype: "F16", shape: [0, 4], data: new Uint8Array() }],
  ["__proto__", { dtype: "U8", shape: [3], data: Uint8Array.of(7, 8, 9) }],
]);
const exampleMetadata = { step: "12", configuration: '{"rho":2}', ünïcode: "✓" };

/** A file with any header, for files that the serializer would never write. */
function file(header: unknown, bodyBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + bodyBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

Deno.test("serializeSafetensors() and parseSafetensors() round-trip tensors and metadata", () => {
  const { tensors, metadata } = parseSafetensors(serializeSafetensors(example, exampleMetadata));
  assert.deepEqual(metadata, exampleMetadata);
  assert.deepEqual(new Map([...tensors].sort()), new Map([...example].sort()));
});

Deno.test("serializeSafetensors() gives the same bytes whatever the order, aligned to eight bytes", () => {
  const bytes = serializeSafetensors(example, exampleMetadata);
  const reversed = Object.fromEntries(Object.entries(exampleMetadata).reverse());
  assert.deepEqual(serializeSafetensors(new Map([...example].reverse()), reversed), bytes);
  assert.equal(new DataView(bytes.buffer).getBigUint64(0, true) % 8n, 0n);
  const { tensors } = parseSafetensors(bytes);
  assert.equal(tensors.get("count")!.data.byteOffset % 8, 0);
  assert.equal(tensors.get("weight")!.data.byteOffset % 4, 0);
});

Deno.test("serializeSafetensors() refuses tensors whose bytes do not match their shape, and the reserved name", () => {
  const tensor: NamedTensor = { dtype: "F32", shape: [3], data: new Uint8Array(8) };
  assert.throws(() => serializeSafetensors(new Map([["x", tensor]])), {
    name: "FormatError",
    message: 'safetensors: tensor "x": F32 of shape [3] takes 12 bytes, not 8',
  });
  const reserved = new Map([["__metadata__", { ...tensor, data: new Uint8Array(12) }]]);
  assert.throws(() => serializeSafetensors(reserved), FormatError);
});

Deno.test("parseSafetensors() reads files of the reference implementation", async () => {
  const golden = new URL("../golden/data/metrics.safetensors", import.meta.url);
  const { tensors, metadata } = parseSafetensors(await Deno.readFile(golden));
  assert.deepEqual(tensors.get("ece.logits")?.shape, [500, 10]);
  assert.match(metadata["reference"]!, /official PyTorch implementation/);
});

Deno.test("openSafetensors() reads what is asked for; tensors of types that are not read are named", async () => {
  const bytes = file({
    x: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
    y: { dtype: "F4", shape: [3], data_offsets: [4, 6] },
    z: { dtype: "F8_E8M0", shape: [2], data_offsets: [6, 8] },
  }, 8);
  const opened = openSafetensors(bytes);
  assert.deepEqual([...opened.tensors].map(([name, { dtype }]) => [name, dtype]), [
    ["x", "F32"],
    ["y", "F4"],
    ["z", "F8_E8M0"],
  ]);
  assert.deepEqual((await opened.read(["x"])).get("x")!.data, new Uint8Array(4));
  await assert.rejects(opened.read(["x", "y"]), {
    name: "FormatError",
    message: /"y" has elements of type F4/,
  });
  await assert.rejects(opened.read(["w"]), { name: "FormatError", message: /no tensor "w"/ });
});

Deno.test("parseSafetensors() refuses every damaged header with a FormatError of one line", () => {
  const tensor = (over: object) => ({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4], ...over } });
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(7), /too few for a header length/],
    [new Uint8Array(8).fill(255), /at most 16777216/],
    [Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), /truncated/],
    [file('{"a":', 0), /not valid JSON/],
    [Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), /not valid JSON in UTF-8/],
    [file('{"x":{},"x":{}}', 0), /names "x" twice/],
    [file('{"x":{"dtype":"F32","shape":[1],"dtype":"F32"}}', 4), /names "dtype" twice/],
    [file('{"__metadata__":{"a":"1","\\u0061":"2"}}', 0), /names "a" twice/],
    [file(`{"a":${"[".repeat(9)}${"]".repeat(9)}}`, 0), /deeper than 8 levels/],
    [file({ ["x".repeat(1001)]: {} }, 0), /its name has 1001 characters/],
    [file("{} x", 0), /not valid JSON/],
    [file('{"a":1,}', 0), /not valid JSON/],
    [file('{"a":01}', 0), /not valid JSON/],
    [file("[]", 0), /not a JSON object/],
    [file(" {}", 0), /not a JSON object/],
    [file({ __metadata__: { a: 1 } }, 0), /not an object of strings/],
    [file({ x: [] }, 0), /not an object/],
    [file('{"x":{"__proto__":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}}', 4), /element type/],
    [file(tensor({ dtype: "constructor" }), 4), /unknown element type "constructor"/],
    [file(tensor({ dtype: 7 }), 4), /unknown element type 7/],
    [file(tensor({ shape: [-1] }), 4), /invalid shape/],
    [file(tensor({ shape: [1.5] }), 4), /invalid shape/],
    [file(tensor({ shape: Array(33).fill(1) }), 4), /invalid shape/],
    [file(tensor({ shape: [2 ** 40, 2 ** 40, 2 ** 40] }), 4), /takes .* bytes, not 4/],
    [file(tensor({ data_offsets: [0, 4, 8] }), 4), /invalid data_offsets/],
    [file(tensor({ data_offsets: [4, 0] }), 4), /end before they begin/],
    [file(tensor({ data_offsets: [0, 8] }), 8), /takes 4 bytes, not 8/],
    [file(tensor({}), 3), /truncated/],
    [file(tensor({}), 5), /5 bytes of tensors, but the header describes 4/],
    [file(tensor({ data_offsets: [4, 8] }), 8), /unused bytes/],
    [file({ ...tensor({}), y: tensor({ data_offsets: [2, 6] }).x }, 6), /overlaps/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => parseSafetensors(bytes), (error) => {
      assert.ok(error instanceof FormatError, String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
});

Deno.test("parseSafetensors() returns or throws a FormatError, whatever bytes of a file are changed", () => {
  const valid = serializeSafetensors(example, exampleMetadata);
  const mutation = fc.record({
    edits: fc.array(fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
    length: fc.oneof(fc.constant(valid.length), fc.nat(valid.length + 16)),
  });
  fc.assert(
    fc.property(mutation, ({ edits, length }) => {
      const bytes = new Uint8Array(length);
      bytes.set(valid.subarray(0, length));
      for (const [position, value] of edits) if (position < length) bytes[position] = value;
      survives(bytes);
    }),
    { numRuns: 3000, seed: 1 },
  );
});

Deno.test("parseSafetensors() returns or throws a FormatError, whatever JSON the header is", () => {
  const size = fc.oneof(fc.nat(16), fc.constantFrom(-1, 1.5, 1e400, 2 ** 53, null));
  const entry = fc.record({
    dtype: fc.oneof(fc.constantFrom("F32", "U8", "toString", "__proto__"), fc.jsonValue()),
    shape: fc.oneof(fc.array(size), fc.jsonValue()),
    data_offsets: fc.oneof(fc.tuple(size, size), fc.jsonValue()),
  }, { requiredKeys: [] });
  const header = fc.dictionary(
    fc.oneof(fc.constantFrom("__proto__", "__metadata__", "x"), fc.string()),
    entry,
  );
  fc.assert(
    fc.property(fc.oneof(header, fc.jsonValue()), fc.nat(32), (value, bytes) => survives(file(value, bytes))),
    { numRuns: 2000, seed: 2 },
  );
});

function survives(bytes: Uint8Array): void {
  try {
    const { tensors } = parseSafetensors(bytes);
    for (const { data } of tensors.values()) assert.ok(data.length <= bytes.length);
    assert.equal(Object.hasOwn(Object.prototype, "dtype"), false);
  } catch (error) {
    assert.ok(error instanceof FormatError, String(error));
    assert.doesNotMatch(error.message, /\n/);
  }
}

Deno.test("float32Of() and numbersOf() convert every number type, aligned or not", () => {
  const cases: [DType, ArrayBufferView, number[]][] = [
    ["BOOL", Uint8Array.of(0, 1), [0, 1]],
    ["U8", Uint8Array.of(0, 255), [0, 255]],
    ["I8", Int8Array.of(-128, 127), [-128, 127]],
    ["U16", Uint16Array.of(65535), [65535]],
    ["I16", Int16Array.of(-32768), [-32768]],
    ["F16", Float16Array.of(-1.5, 65504), [-1.5, 65504]],
    ["BF16", Uint16Array.of(0x3fc0, 0xc2f7), [1.5, -123.5]],
    ["U32", Uint32Array.of(4294967295), [4294967295]],
    ["I32", Int32Array.of(-7), [-7]],
    ["F32", Float32Array.of(0.1), [Math.fround(0.1)]],
    ["U64", BigUint64Array.of(9n), [9]],
    ["I64", BigInt64Array.of(-9n), [-9]],
    ["F64", Float64Array.of(0.1), [0.1]],
  ];
  for (const [dtype, values, expected] of cases) {
    const unaligned = new Uint8Array(values.byteLength + 1).subarray(1);
    unaligned.set(bytesOf(values));
    const tensor = { dtype, shape: [expected.length], data: unaligned };
    assert.deepEqual([...numbersOf(tensor)], expected, dtype);
    assert.deepEqual([...float32Of(tensor)], expected.map(Math.fround), dtype);
  }
  const eight: NamedTensor = { dtype: "F8_E4M3", shape: [1], data: new Uint8Array(1) };
  assert.throws(() => float32Of(eight), { name: "FormatError", message: /F8_E4M3/ });
});

Deno.test("parseSafetensors() refuses a header that names a tensor or a field twice", () => {
  const tensor = (shape: string) => `{"dtype":"F32","shape":[${shape}],"data_offsets":[0,4]}`;
  const cases: [string, RegExp][] = [
    [`{"x":${tensor("1")},"x":${tensor("1")}}`, /names "x" twice/],
    [`{"x":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}`, /names "shape" twice/],
    [`{"__metadata__":{"a":"1","a":"2"},"x":${tensor("1")}}`, /names "a" twice/],
  ];
  for (const [header, message] of cases) {
    const json = new TextEncoder().encode(header);
    const bytes = new Uint8Array(8 + json.length + 4);
    bytes[0] = json.length;
    bytes.set(json, 8);
    assert.throws(() => parseSafetensors(bytes), message);
  }
});
