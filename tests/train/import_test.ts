import assert from "node:assert/strict";
import { CheckpointError } from "../../src/errors.ts";
import { bytesOf } from "../../src/formats/bytes.ts";
import { serializePyTorch } from "../../src/formats/pytorch_writer.ts";
import { type NamedTensor, parseSafetensors, serializeSafetensors } from "../../src/formats/safetensors.ts";
import { type ImportHints, readModelFile } from "../../src/train/import.ts";
import { refuses } from "../refusal.ts";

const shipped = parseSafetensors(
  await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url)),
);

function zeros(...shape: number[]): NamedTensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return { dtype: "F32", shape, data: new Uint8Array(4 * count) };
}

/** The weights that tell the architecture of a network of width 1. */
function weights({ blocks = 1, groups = 3, channels = 3, classes = 10 } = {}): Map<string, NamedTensor> {
  const state = new Map([
    ["f.conv1.weight", zeros(16, channels, 3, 3)],
    ["class_output.weight", zeros(classes, 8 << groups)],
  ]);
  for (let group = 0; group < groups; group++) {
    const size = 16 << group;
    for (let i = 0; i < blocks; i++) {
      const name = `f.layer${group + 1}.${i}`;
      state.set(`${name}.conv1.weight`, zeros(size, group > 0 && i === 0 ? size / 2 : size, 3, 3));
      state.set(`${name}.conv2.weight`, zeros(size, size, 3, 3));
    }
  }
  return state;
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
  const affine = weights().set("f.bn1.weight", zeros(64));
  await refuses(imported(affine), CheckpointError, /norm may be instance or layer; say which \(--norm\)/);
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
  const half: NamedTensor = { dtype: "F16", shape: [3], data: bytesOf(Float16Array.of(1.5, -2, 0.25)) };
  const double: NamedTensor = { dtype: "F64", shape: [2], data: bytesOf(Float64Array.of(1 / 3, -8)) };
  const state = weights().set("f.conv1.bias", half).set("f.layer1.0.conv1.bias", double);
  const parallel = new Map([...state].map(([name, tensor]) => [`module.${name}`, tensor]));
  const files = [
    state,
    parallel,
    ...["model_state_dict", "state_dict", "model"].flatMap((place) => [
      new Map([[place, state]]),
      new Map([[place, parallel]]),
    ]),
  ];
  for (const contents of files) {
    const { tensors } = await readModelFile(serializePyTorch(contents));
    assert.deepEqual([...tensors.keys()].sort(), [...state.keys()].sort());
    assert.deepEqual(tensors.get("f.conv1.bias")!.data, Float32Array.of(1.5, -2, 0.25));
    assert.deepEqual(tensors.get("f.layer1.0.conv1.bias")!.data, Float32Array.of(1 / 3, -8));
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
    [
      "f.bn1.num_batches_tracked",
      { dtype: "F32", shape: [], data: bytesOf(Float32Array.of(NaN)) },
      /num_batches_tracked is NaN/,
    ],
  ];
  for (const [name, tensor, message] of cases) {
    await refuses(imported(weights().set(name, tensor)), CheckpointError, message);
  }
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
