import assert from "node:assert/strict";
import { CheckpointError } from "../../../src/errors.ts";
import { bytesOf } from "../../../src/formats/bytes.ts";
import { serializePyTorch } from "../../../src/formats/pytorch/writer.ts";
import {
  type DType,
  elementBytes,
  type NamedTensor,
  parseSafetensors,
  serializeSafetensors,
} from "../../../src/formats/safetensors.ts";
import { type ImportHints, readModelFile } from "../../../src/train/checkpoint/import.ts";
import { refuses } from "../../refusal.ts";

const shipped = parseSafetensors(
  await Deno.readFile(new URL("../../../data/models/digits.safetensors", import.meta.url)),
);

function zeros(...shape: number[]): NamedTensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return { dtype: "F32", shape, data: new Uint8Array(4 * count) };
}

/** A state dict of a network of width 1 without norms. */
function weights({ blocks = 1, groups = 3, channels = 3, classes = 10 } = {}): Map<string, NamedTensor> {
  const state = new Map<string, NamedTensor>();
  const layer = (name: string, ...shape: number[]) =>
    state.set(`${name}.weight`, zeros(...shape)).set(`${name}.bias`, zeros(shape[0]!));
  layer("f.conv1", 16, channels, 3, 3);
  layer("class_output", classes, 8 << groups);
  layer("energy_output", 1, 8 << groups);
  for (let group = 0; group < groups; group++) {
    const size = 16 << group;
    for (let i = 0; i < blocks; i++) {
      const name = `f.layer${group + 1}.${i}`;
      const before = group > 0 && i === 0 ? size / 2 : size;
      layer(`${name}.conv1`, size, before, 3, 3);
      layer(`${name}.conv2`, size, size, 3, 3);
      if (before !== size) layer(`${name}.shortcut.0`, size, before, 1, 1);
    }
  }
  return state;
}

/** The same state dict with the parameters of instance or layer norm. */
function normed(state: Map<string, NamedTensor>): Map<string, NamedTensor> {
  const norm = (name: string, channels: number) =>
    state.set(`${name}.weight`, zeros(channels)).set(`${name}.bias`, zeros(channels));
  norm("f.bn1", 64);
  for (const [group, before, size] of [[1, 16, 16], [2, 16, 32], [3, 32, 64]] as const) {
    norm(`f.layer${group}.0.bn1`, before);
    norm(`f.layer${group}.0.bn2`, size);
  }
  return state;
}

function prefixed(state: ReadonlyMap<string, NamedTensor>, prefix: string): Map<string, NamedTensor> {
  return new Map([...state].map(([name, tensor]) => [prefix + name, tensor]));
}

const imported = (state: ReadonlyMap<string, NamedTensor>, hints?: ImportHints) =>
  readModelFile(serializePyTorch(new Map([["model_state_dict", state]])), hints);

Deno.test("readModelFile() infers depth, norm, classes, channels and size from the shapes", async () => {
  const { configuration, images } = await imported(weights({ blocks: 4, classes: 100 }));
  const { depth, width, norm, dataset, unconditional } = configuration;
  assert.deepEqual([depth, width, norm, dataset, unconditional], [28, 1, "none", "cifar100", false]);
  assert.deepEqual([images.height, images.channels, images.classNames[99]], [32, 3, "worm"]);

  const large = await imported(weights({ groups: 4, classes: 1 }), { dataset: "images" });
  assert.deepEqual([large.images.height, large.configuration.imageSize], [64, 64]);

  const grey = await imported(weights({ channels: 1 }), { dataset: "fashion-mnist", unconditional: true });
  assert.deepEqual([grey.images.height, grey.configuration.unconditional], [28, true]);

  await refuses(
    imported(weights({ classes: 7 })),
    CheckpointError,
    /does not say what .* \(3 channels, 7 classes\)/,
  );
  const affine = normed(weights());
  await refuses(
    imported(affine),
    CheckpointError,
    /norm may be instance or layer; say which \(--norm; in training/,
  );
  assert.equal((await imported(affine, { norm: "layer" })).configuration.norm, "layer");
});

Deno.test("readModelFile() names classes only where the data set is said, or is the only one that fits", async () => {
  const classes = async (state: ReadonlyMap<string, NamedTensor>, hints?: ImportHints) => {
    const { images: { classNames, unnamed = false }, configuration } = await imported(state, hints);
    return [configuration.dataset, classNames[3], unnamed];
  };
  assert.deepEqual(await classes(weights()), ["cifar10", "3", true], "it may be of SVHN as well");
  assert.deepEqual(await classes(weights(), { dataset: "cifar10" }), ["cifar10", "cat", false]);
  assert.deepEqual(await classes(weights(), { dataset: "svhn" }), ["svhn", "3", false]);
  assert.deepEqual(await classes(weights(), { dataset: "images" }), ["images", "3", true]);
  assert.deepEqual(await classes(weights({ classes: 12 }), { dataset: "cifar10" }), ["cifar10", "3", true]);
  assert.deepEqual(await classes(weights({ classes: 100 })), ["cifar100", "bear", false]);

  const { tensors, metadata } = shipped;
  const described = async (change: Readonly<Record<string, unknown>>) => {
    const images = JSON.stringify({ ...JSON.parse(metadata["images"]!), ...change });
    return (await readModelFile(serializeSafetensors(tensors, { ...metadata, images }))).images;
  };
  assert.equal((await described({})).unnamed, undefined);
  assert.equal((await described({ unnamed: true })).unnamed, true);
  const names = [..."abcdefghi", "\x1b[2J"];
  assert.equal((await described({ classNames: names })).classNames[9], "\ufffd[2J");
  await refuses(described({ unnamed: 1 }), CheckpointError, /does not name its classes/);
  await refuses(
    described({ classNames: [...names.slice(1), "x".repeat(300)] }),
    CheckpointError,
    /does not name/,
  );
});

Deno.test("readModelFile() finds the state dict wherever files have it, and makes float32 of other types", async () => {
  const values = Array.from({ length: 16 }, (_, i) => (i - 7) / 3);
  const half: NamedTensor = { dtype: "F16", shape: [16], data: bytesOf(Float16Array.from(values)) };
  const double: NamedTensor = { dtype: "F64", shape: [16], data: bytesOf(Float64Array.from(values)) };
  // The upper halves of 1.5 and -123.5 as float32.
  const bfloat: NamedTensor = { dtype: "BF16", shape: [1], data: bytesOf(Uint16Array.of(0xc2f7)) };
  const state = weights().set("f.conv1.bias", half).set("f.layer1.0.conv1.bias", double)
    .set("energy_output.bias", bfloat);
  const wrapped = new Map([...state].map(([name, tensor]) => [name.replace(/^f\./, "f._orig_mod."), tensor]));
  const prefixes = ["module.", "_orig_mod.", "model.", "net.", "model.module._orig_mod.", "0.f."];
  const states = [state, wrapped, ...prefixes.map((prefix) => prefixed(state, prefix))];
  const places = ["model_state_dict", "state_dict", "model", "net", "ema_state_dict", "anything at all"];
  const files = [...states, ...places.map((place) => new Map([[place, states[2]!]]))];
  for (const contents of files) {
    const { tensors } = await readModelFile(serializePyTorch(contents));
    assert.deepEqual([...tensors.keys()].sort(), [...state.keys()].sort());
    const rounded = Float32Array.from(Float16Array.from(values));
    assert.deepEqual(tensors.get("f.conv1.bias")!.data, rounded);
    assert.deepEqual(tensors.get("f.layer1.0.conv1.bias")!.data, Float32Array.from(values));
    assert.deepEqual(tensors.get("energy_output.bias")!.data, Float32Array.of(-123.5));
  }
  for (const names of states) {
    const { tensors } = await readModelFile(serializeSafetensors(names));
    assert.deepEqual([...tensors.keys()].sort(), [...state.keys()].sort());
  }
});

Deno.test("readModelFile() refuses state dicts whose shapes do not belong together", async () => {
  const cases: [string, NamedTensor, RegExp][] = [
    [
      "f.layer1.0.conv2.weight",
      zeros(1600, 0, 3, 3),
      /conv2\.weight has shape \[1600,0,3,3\], expected \[1600,1600/,
    ],
    ["f.layer3.0.conv2.weight", zeros(64, 1, 3, 3), /layer3\.0\.conv2\.weight has shape \[64,1,3,3\]/],
    ["f.conv1.weight", zeros(16, 0, 3, 3), /f\.conv1\.weight is empty/],
    ["class_output.weight", zeros(10, 0), /class_output\.weight has shape \[10,0\], expected \[10,64\]/],
    ["f.layer1.1.conv1.weight", zeros(1), /layer1\.1\.conv2\.weight is missing/],
  ];
  for (const [name, tensor, message] of cases) {
    await refuses(imported(weights().set(name, tensor)), CheckpointError, message);
  }
});

Deno.test("readModelFile() says at once which needed tensor is missing, damaged or of another type", async () => {
  for (const name of ["energy_output.weight", "energy_output.bias", "f.layer2.0.shortcut.0.bias"]) {
    const state = weights();
    state.delete(name);
    await refuses(
      imported(state),
      CheckpointError,
      new RegExp(`tensor ${name.replaceAll(".", "\\.")} is missing`),
    );
  }
  const nan: NamedTensor = { dtype: "F32", shape: [1], data: bytesOf(Float32Array.of(NaN)) };
  await refuses(
    imported(weights().set("energy_output.bias", nan)),
    CheckpointError,
    /bias holds NaN at element 0/,
  );
  const bytes = (dtype: DType): NamedTensor => ({
    dtype,
    shape: [1],
    data: new Uint8Array(elementBytes[dtype]),
  });
  for (const dtype of ["F8_E4M3", "I64", "BOOL"] as const) {
    const file = serializeSafetensors(weights().set("energy_output.bias", bytes(dtype)));
    await refuses(
      readModelFile(file),
      CheckpointError,
      /energy_output\.bias has elements of type (F8|I64|BOOL)/,
    );
  }
});

Deno.test("readModelFile() leaves alone and names what no model needs", async () => {
  const odd: NamedTensor = { dtype: "F8_E4M3", shape: [2], data: Uint8Array.of(1, 2) };
  const infinite: NamedTensor = { dtype: "F16", shape: [], data: bytesOf(Float16Array.of(Infinity)) };
  const state = weights().set("f.bn1.num_batches_tracked", infinite);
  const file = serializePyTorch(
    new Map<string, NamedTensor | ReadonlyMap<string, NamedTensor>>([
      ["optimizer", new Map([["0", zeros(2)], ["1", zeros(2)]])],
      ["model", state],
      ["steps", zeros()],
      ["replay_buffer", zeros(5, 3, 32, 32)],
    ]),
  );
  const read = await readModelFile(file);
  assert.deepEqual(read.leftAlone, ["optimizer (2 tensors)", "steps (1 tensor)"]);
  assert.deepEqual([read.batchesTracked, read.choice], [0, undefined]);
  assert.deepEqual(read.tensors.get("replay_buffer")!.shape, [5, 3, 32, 32]);
  assert.equal(read.tensors.has("f.bn1.num_batches_tracked"), false);

  const safetensors = serializeSafetensors(
    new Map([...prefixed(state, "net."), ["net.scale", odd], ["steps", odd]]),
  );
  // A type that this project does not know, in place of the one that it cannot convert.
  const text = new TextDecoder("latin1").decode(safetensors).replaceAll("F8_E4M3", "F4_E2M1");
  const changed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  for (const bytes of [safetensors, changed]) {
    assert.deepEqual((await readModelFile(bytes)).leftAlone.toSorted(), [
      "net.scale (1 tensor)",
      "steps (1 tensor)",
    ]);
  }
});

Deno.test("readModelFile() takes the weights that were trained, says so if others differ, and takes those that are asked for", async () => {
  const one: NamedTensor = { dtype: "F32", shape: [1], data: bytesOf(Float32Array.of(1)) };
  const other = weights().set("energy_output.bias", one);
  const bias = ({ tensors }: { tensors: ReadonlyMap<string, { data: Float32Array }> }) =>
    tensors.get("energy_output.bias")!.data[0];
  const file = (...places: [string, ReadonlyMap<string, NamedTensor>][]) => serializePyTorch(new Map(places));
  const both = file(["ema_state_dict", other], ["state_dict", weights()]);
  const read = await readModelFile(both);
  assert.equal(bias(read), 0);
  assert.match(
    read.choice!,
    /^took the state dict at "state_dict"; other weights are at "ema_state_dict" \(--state ema_/,
  );
  const asked = await readModelFile(both, { state: "ema_state_dict" });
  assert.deepEqual([bias(asked), asked.choice], [1, undefined]);
  await refuses(
    readModelFile(both, { state: "net" }),
    CheckpointError,
    /no state dict at "net"; it does at "ema_/,
  );

  const same = await readModelFile(file(["net", weights()], ["state_dict", weights()]));
  assert.deepEqual([same.choice, same.leftAlone], [undefined, ["state_dict (22 tensors)"]]);
  const partial = weights();
  partial.delete("f.conv1.bias");
  const complete = await readModelFile(file(["first", partial], ["second", other]));
  assert.deepEqual([bias(complete), complete.choice], [1, undefined], "the other is not complete");
});

Deno.test("readModelFile() refuses checkpoints that describe another model than their tensors make", async () => {
  const { tensors, metadata } = shipped;
  const described = (key: "configuration" | "images", change: Readonly<Record<string, unknown>>) => {
    const text = JSON.stringify({ ...JSON.parse(metadata[key]!), ...change });
    return readModelFile(serializeSafetensors(tensors, { ...metadata, [key]: text }));
  };
  assert.equal((await described("configuration", {})).configuration.depth, 10);
  const cases: [ReturnType<typeof described>, RegExp][] = [
    [described("configuration", { depth: 1000, width: 100 }), /of depth 10, not 1000/],
    [described("configuration", { width: 100 }), /of width 1, not 100/],
    [described("configuration", { norm: "act" }), /has norm batch, not act/],
    [described("images", { channels: 2 ** 40 }), /of channels 1, not 1099511627776/],
    [described("images", { classNames: ["one"] }), /of classes 10, not 1/],
    [described("images", { width: 2 ** 40 }), /images of 8×1099511627776 pixels/],
    [described("images", { height: 2 ** 40, width: 2 ** 40 }), /3 groups is not one for images of/],
  ];
  for (const [reading, message] of cases) await refuses(reading, CheckpointError, message);
});
