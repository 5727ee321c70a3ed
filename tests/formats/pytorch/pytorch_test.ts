import assert from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import { parsePickle } from "../../../src/formats/pytorch/pickle.ts";
import { PickledObject } from "../../../src/formats/pytorch/pickle_objects.ts";
import { isPyTorch, openPyTorch, parsePyTorch } from "../../../src/formats/pytorch/pytorch.ts";
import { serializePyTorch } from "../../../src/formats/pytorch/writer.ts";
import { type DType, elementBytes, type NamedTensor, numbersOf } from "../../../src/formats/safetensors.ts";
import { zip } from "../../../src/formats/archives/zip_writer.ts";
import { pythonWith, runPython } from "../../python.ts";
import { refuses } from "../../refusal.ts";
import { withFiles } from "../../temporary.ts";

function tensor(dtype: DType, shape: readonly number[]): NamedTensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return { dtype, shape, data: Uint8Array.from({ length: count * elementBytes[dtype] }, (_, i) => i % 64) };
}

const state = new Map([
  ["f.weight", tensor("F32", [4, 3, 2, 2])],
  ["f.steps", tensor("I64", [])],
  ["f.half", tensor("F16", [5])],
]);
const others: readonly DType[] = ["F64", "BF16", "I32", "I16", "I8", "U8", "BOOL"];
const contents = new Map<string, NamedTensor | ReadonlyMap<string, NamedTensor>>([
  ["model_state_dict", state],
  ["empty", tensor("F32", [0, 3])],
  ...others.map((dtype): [string, NamedTensor] => [dtype, tensor(dtype, [2, 3])]),
]);

Deno.test("serializePyTorch() and parsePyTorch() are inverse for every element type", async () => {
  const bytes = serializePyTorch(contents);
  const read = await parsePyTorch(bytes);
  const flat = new Map(
    [...contents].flatMap(([name, value]): [string, NamedTensor][] =>
      value instanceof Map
        ? [...value].map(([key, entry]) => [`${name}.${key}`, entry as NamedTensor])
        : [[name, value as NamedTensor]]
    ),
  );
  assert.deepEqual([...read.keys()], [...flat.keys()]);
  for (const [name, { dtype, shape, data }] of flat) {
    assert.deepEqual([read.get(name)!.dtype, read.get(name)!.shape], [dtype, shape]);
    assert.deepEqual(Uint8Array.from(read.get(name)!.data), data);
  }
  assert.deepEqual(serializePyTorch(contents), bytes, "the same contents give the same bytes");
});

/** A pickle of protocol 2, from pieces of text and bytes. */
function pickle(...parts: readonly (string | number)[]): Uint8Array {
  return Uint8Array.from([
    0x80,
    2,
    ...parts.flatMap((part) => typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]),
    0x2e,
  ]);
}

/** An archive with this pickle and a storage "0" of twelve floats. */
function archive(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return zip(new Map([["archive/data.pkl", data], ["archive/data/0", new Uint8Array(48)]]));
}

const text = (value: string) => ["X", value.length, 0, 0, 0, value];
const integers = (...values: number[]) => ["(", ...values.flatMap((value) => ["J", value, 0, 0, 0]), "t"];
const storage = (key: string, length: number) => [
  "(",
  ...text("storage"),
  "ctorch\nFloatStorage\n",
  ...text(key),
  ...text("cpu"),
  "K",
  length,
  "tQ",
];
/** {"t": tensor(storage, offset, shape, strides)}. */
const view = (of: (string | number)[], offset: number, shape: number[], strides: number[]) =>
  archive(pickle(
    "}",
    ...text("t"),
    "ctorch._utils\n_rebuild_tensor_v2\n(",
    ...of,
    "K",
    offset,
    ...integers(...shape),
    ...integers(...strides),
    0x89,
    "ccollections\nOrderedDict\n)RtRs",
  ));

Deno.test("parsePyTorch() reads views: offsets, transposed and skipping strides", async () => {
  const floats = Float32Array.from({ length: 12 }, (_, i) => i);
  const views: [number, number[], number[], number[]][] = [
    [0, [3, 4], [4, 1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    [0, [4, 3], [1, 4], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
    [1, [2, 2], [8, 2], [1, 3, 9, 11]],
    [11, [], [], [11]],
    [3, [0, 7], [1, 1], []],
  ];
  for (const [offset, shape, strides, expected] of views) {
    const bytes = view(storage("0", 12), offset, shape, strides);
    const file = new Uint8Array(bytes);
    // The archive is written again with the floats in the storage, which also corrects the checksum.
    const data = zip(
      new Map([
        ["archive/data.pkl", await pickleOf(file)],
        ["archive/data/0", new Uint8Array(floats.buffer)],
      ]),
    );
    const { t } = Object.fromEntries(await parsePyTorch(data));
    assert.deepEqual([...numbersOf(t!)], expected);
    assert.deepEqual(t!.shape, shape);
  }
});

async function pickleOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { ZipArchive } = await import("../../../src/formats/archives/zip.ts");
  return await new ZipArchive(bytes).read("archive/data.pkl", 2 ** 20);
}

Deno.test("parsePyTorch() refuses views outside their storage, repetition, and descriptions that lie", async () => {
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [view(storage("0", 12), 1, [12], [1]), /t of shape \[12\] does not fit its storage/],
    [view(storage("0", 12), 0, [100, 100], [0, 0]), /does not fit its storage/],
    [view(storage("0", 12), 0, [3], [1, 1]), /1 dimensions with 2 strides/],
    [view(storage("0", 13), 0, [1], [1]), /storage 0 has 48 bytes, not those of 13 elements/],
    [view(storage("1", 12), 0, [1], [1]), /storage 1 is missing/],
    [view(["N"], 0, [1], [1]), /description of a tensor is damaged/],
    [zip(new Map([["x", new Uint8Array(3)]])), /no data\.pkl/],
    [new Uint8Array(100), /neither a zip archive nor a file of torch\.save/],
  ];
  for (const [bytes, message] of cases) await refuses(parsePyTorch(bytes), FormatError, message);
});

Deno.test("parsePyTorch() enters a dictionary once, and refuses tensors that use a storage over and over", async () => {
  const names = Array.from({ length: 3000 }, (_, i) => String(1000 + i));
  const nested = pickle("}q", 0, ...names.flatMap((name) => [...text(name), "h", 0, "s"]));
  assert.equal((await parsePyTorch(archive(nested))).size, 0, "and not three thousand to the third times");

  const tensor = [
    "ctorch._utils\n_rebuild_tensor_v2\n(",
    ...storage("0", 12),
    "K",
    0,
    ...integers(12),
    ...integers(1),
  ];
  const shared = (count: number) =>
    archive(pickle(
      ...tensor,
      0x89,
      "NtRq",
      1,
      "}",
      ...names.slice(0, count).flatMap((name) => [...text(name), "h", 1, "s"]),
    ));
  assert.equal((await parsePyTorch(shared(2))).size, 2, "tied weights");
  await refuses(parsePyTorch(shared(3000)), FormatError, /tensors of 144000 bytes share storages of 48/);
});

Deno.test("parsePyTorch() refuses compressed storages, and storages that are parts of others", async () => {
  const whole = view(storage("0", 12), 0, [12], [1]);
  const files = new Map([["archive/data.pkl", await pickleOf(whole)], [
    "archive/data/0",
    new Uint8Array(48),
  ]]);
  const compressed = zip(files, { compress: true });
  await refuses(parsePyTorch(compressed), FormatError, /storage 0 is compressed/);
  const part = storage("0", 12).slice(0, -1);
  const inside = view([...part, ...integers(0, 0, 12), "tQ"], 0, [12], [1]);
  await refuses(parsePyTorch(inside), FormatError, /storage 0 is a part of another/);
});

const reader = { call: () => undefined, persistent: () => null };

Deno.test("parsePickle() refuses what runs code by name, operations beyond the file, and damage", () => {
  const cases: [Uint8Array, RegExp][] = [
    [pickle("cos\nsystem\n", ...text("true"), 0x85, "R"), /names os\.system, which tensors do not need/],
    [pickle("c__builtin__\neval\n"), /names __builtin__\.eval/],
    [pickle("cbuiltins\ngetattr\n"), /names builtins\.getattr/],
    [pickle("csubprocess\nPopen\n"), /names subprocess\.Popen/],
    [pickle("casyncio.subprocess\ncreate_subprocess_shell\n"), /names asyncio\.subprocess/],
    [pickle("ctorch.hub\nload\n"), /names torch\.hub\.load/],
    [pickle(...text("os"), ...text("system"), 0x93), /names os\.system/],
    [pickle(...text("torch"), ...text("os.system"), 0x93), /names torch\.os\.system/],
    [
      pickle(...text("collections"), ...text("namedtuple.__globals__"), 0x93),
      /names collections\.namedtuple/,
    ],
    [pickle("(ios\nsystem\n"), /names os\.system/],
    [pickle("cposix\na\u0007b\n"), /names posix\.a\\x07b,/],
    [pickle("K", 1, "K", 7, "b"), /damaged/],
    [pickle("K", 1, ")R"), /damaged/],
    [pickle("(K", 1, "o"), /damaged/],
    [pickle(0x82, 1), /operation EXT1/],
    [pickle(0x97), /operation NEXT_BUFFER/],
    [pickle("X", 255, 255, 255, 255), /truncated/],
    [pickle(0x8b, 255, 255, 255, 127), /truncated/],
    [pickle(0x8e, 255, 255, 255, 255, 255, 255, 255, 255), /truncated/],
    [pickle("h", 3), /damaged/],
    [pickle("g3\n"), /damaged/],
    [pickle("Inone\n"), /damaged/],
    [pickle("a"), /damaged/],
    [pickle("(K", 1, "d"), /damaged/],
    [pickle("1"), /damaged/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => parsePickle(bytes, reader, 2 ** 20),
      (error) => error instanceof FormatError && message.test(error.message),
      `${message}`,
    );
  }
});

Deno.test("parsePickle() reads what each protocol writes, and makes no object", () => {
  const value = (...parts: (string | number)[]) => parsePickle(pickle(...parts), reader, 2 ** 20).value;
  assert.equal(value(0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x80), -(2n ** 63n));
  assert.equal(value(0x8a, 9, 0xf9, 0x87, 0xef, 0xe2, 0x4, 0x75, 0x20, 0xf0, 0x0), 17302958432205113337n);
  assert.equal(value(0x8a, 2, 0xff, 0x7f), 32767);
  assert.ok(Number.isNaN(value(0x8a, 33, ...Array(33).fill(1))), "longer than any that is needed");
  assert.deepEqual(value("(I01\nI-7\nL18446744073709551615L\nF-inf\nS'it\\'s \\x41'\nVa\\u00e9\nt"), [
    true,
    -7,
    2n ** 64n - 1n,
    -Infinity,
    "it's A",
    "a\u00e9",
  ]);
  assert.deepEqual(value(0x8f, 0x94, "(K", 1, "K", 2, 0x90), [1, 2], "a set");
  assert.deepEqual(value("(K", 1, 0x91), [1], "a frozen set");
  assert.deepEqual(value("(K", 1, "K", 2, "d"), new Map([[1, 2]]));
  assert.deepEqual(value(0x96, 2, 0, 0, 0, 0, 0, 0, 0, 7, 8), Uint8Array.of(7, 8));
  assert.deepEqual(value("(K", 1, "K", 2, "1K", 3, "2", 0x86), [3, 3]);
  const pairs = value("ccollections\nOrderedDict\n((lp1\n(lp2\nS'a'\naK", 5, "aatR");
  assert.deepEqual(pairs, new Map([["a", 5]]), "as Python 2 writes an OrderedDict");
  const object = value("cargparse\nNamespace\n)", 0x81, "}", ...text("lr"), "K", 3, "sb") as PickledObject<
    never
  >;
  assert.ok(object instanceof PickledObject);
  assert.deepEqual([object.name, object.state], ["argparse.Namespace", new Map([["lr", 3]])]);
});

/** A tensor of twelve elements, as an operand of a pickle. */
const tensorIn = (of: (string | number)[]) => [
  "ctorch._utils\n_rebuild_tensor_v2\n(",
  ...of,
  "K",
  0,
  ...integers(12),
  ...integers(1),
  0x89,
  "NtR",
];

Deno.test("openPyTorch() reads the tensors that are asked for, whatever else the file holds", async () => {
  const complex = [...storage("1", 12)].map((part) =>
    typeof part === "string" ? part.replace("FloatStorage", "ComplexFloatStorage") : part
  );
  const entry = (name: string, ...value: (string | number)[]) => [...text(name), ...value, "s"];
  const file = archive(pickle(
    "}",
    ...entry("seed", 0x8a, 8, 255, 255, 255, 255, 255, 255, 255, 127),
    ...entry("args", "cargparse\nNamespace\n)", 0x81, "}", ...text("t"), ...tensorIn(storage("0", 12)), "sb"),
    ...entry("scalar", "cnumpy.core.multiarray\nscalar\n)R"),
    ...entry("good", ...tensorIn(storage("0", 12)), "q", 7),
    ...entry("again", "}q", 8, ...entry("t", "h", 7)),
    ...entry("same", "h", 8),
    ...entry("complex", ...tensorIn(complex)),
    ...entry("missing", ...tensorIn(storage("2", 12))),
    ...entry("nested", "]", ...tensorIn(storage("0", 12)), "a"),
    ...entry("small", ...tensorIn(storage("3", 11))),
    ...entry("odd", ...tensorIn(["N"])),
  ));
  const { tensors, others, aliases, read } = await openPyTorch(file).then((opened) => ({
    tensors: opened.tensors,
    others: opened.others,
    aliases: opened.aliases,
    read: (...names: string[]) => opened.read(names),
  }));
  assert.deepEqual(
    [...tensors.keys()],
    ["args.t", "good", "again.t", "complex", "missing", "nested.0", "small", "odd"],
  );
  assert.deepEqual([others, [...aliases]], [["seed", "args", "scalar"], [["same", "again"]]]);
  assert.equal(tensors.get("complex")!.dtype, "ComplexFloat");
  assert.deepEqual([...(await read("good", "args.t", "again.t")).values()].map(({ shape }) => shape), [[12], [
    12,
  ], [
    12,
  ]]);
  await refuses(
    read("good", "complex"),
    FormatError,
    /tensor complex has elements of type ComplexFloat, which/,
  );
  await refuses(read("missing"), FormatError, /storage 2 is missing/);
  await refuses(read("small"), FormatError, /tensor small of shape \[12\] does not fit its storage/);
  await refuses(read("odd"), FormatError, /description of a tensor is damaged/);
  await refuses(read("none"), FormatError, /no tensor none/);
});

Deno.test("isPyTorch() tells pickles from safetensors files, whose headers may be of any length", () => {
  const start = (...bytes: number[]) =>
    isPyTorch(Uint8Array.from([...bytes, ...Array(16 - bytes.length).fill(0)]));
  assert.ok(start(0x50, 0x4b) && start(0x80, 2, 0x8a, 10, 0x6c, 0xfc));
  assert.ok(!start(0x80, 2) && !start(0x80, 4, 1, 3), "headers of 640 and 50,398,336 bytes");
});

const python = await pythonWith("torch");

Deno.test({
  name:
    "serializePyTorch() and torch.load agree, and parsePyTorch() reads torch.save (skipped without python3-torch)",
  ignore: python === undefined,
  async fn() {
    const script = `
import sys, torch, collections
folder = sys.argv[1]
ours = torch.load(folder + "/ours.pt")
assert isinstance(ours["model_state_dict"], collections.OrderedDict) and ours["model_state_dict"]["f.weight"].shape == (4, 3, 2, 2)
assert ours["BF16"].dtype == torch.bfloat16 and ours["BOOL"].dtype == torch.bool and ours["empty"].shape == (0, 3)
torch.save(ours, folder + "/zip.pt")
torch.save(ours, folder + "/legacy.pt", _use_new_zipfile_serialization=False)
base = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4)
views = {"transposed": base.permute(2, 0, 1), "part": base[1, :, 1:3], "half": base.half(), "parameter": torch.nn.Parameter(base.float()),
  "epoch": 7, "lr": 0.1, "name": "x", "sizes": base.shape, "flags": [True, None], "parallel": torch.nn.DataParallel(torch.nn.Linear(2, 3)).state_dict()}
torch.save(views, folder + "/views.pt")
torch.save(views, folder + "/old.pt", _use_new_zipfile_serialization=False)
import argparse, collections, numpy, pathlib
side = {"seed": 2**64 - 1, "huge": 10**300, "scalar": numpy.float64(3.5), "array": numpy.arange(5), "args": argparse.Namespace(device=torch.device("cpu")),
  "lists": collections.defaultdict(list, {"a": [1]}), "dtype": torch.bfloat16, "path": pathlib.PurePosixPath("/a"), "set": {1, 2}, "bytes": b"abc" * 100,
  "complex": torch.ones(3, dtype=torch.complex64), "sparse": torch.eye(3).to_sparse(), "quantised": torch.quantize_per_tensor(torch.ones(3), .1, 0, torch.qint8),
  "optimiser": torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=.1).state_dict(), "net": {"weight": base.float()}}
for protocol in range(1, 6):
  if protocol > 1: torch.save(side, folder + f"/zip{protocol}.pt", pickle_protocol=protocol)
  torch.save(side, folder + f"/old{protocol}.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=False)
print(" ".join(str(x) for k in ("transposed", "part") for x in views[k].flatten().tolist()))`;
    await withFiles({ "ours.pt": serializePyTorch(contents) }, async (folder) => {
      const expected = (await runPython(python!, script, folder)).trim().split(" ").map(Number);
      const ours = await parsePyTorch(serializePyTorch(contents));
      for (const name of ["zip", "legacy"]) {
        const read = await parsePyTorch(await Deno.readFile(`${folder}/${name}.pt`));
        assert.deepEqual(
          [...read].map(([name, { data }]) => [name, [...data]]),
          [...ours].map(([name, { data }]) => [name, [...data]]),
        );
      }
      for (const name of ["views", "old"]) {
        const read = await parsePyTorch(await Deno.readFile(`${folder}/${name}.pt`));
        assert.deepEqual([...read.keys()], [
          "transposed",
          "part",
          "half",
          "parameter",
          "parallel.module.weight",
          "parallel.module.bias",
        ]);
        assert.deepEqual([...numbersOf(read.get("transposed")!), ...numbersOf(read.get("part")!)], expected);
        assert.deepEqual([...numbersOf(read.get("half")!)], Array.from({ length: 24 }, (_, i) => i));
      }
      for (const name of ["zip2", "zip3", "zip4", "zip5", "old1", "old2", "old3", "old4", "old5"]) {
        const file = await openPyTorch(await Deno.readFile(`${folder}/${name}.pt`));
        const weight = (await file.read(["net.weight"])).get("net.weight")!;
        assert.deepEqual([...numbersOf(weight)], Array.from({ length: 24 }, (_, i) => i), name);
        assert.ok(
          ["seed", "huge", "scalar", "array", "args", "path"].every((other) => file.others.includes(other)),
        );
      }
    });
  },
});
