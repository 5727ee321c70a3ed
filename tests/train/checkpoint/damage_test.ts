import assert from "node:assert/strict";
import { CheckpointError } from "../../../src/errors.ts";
import { Purpose, RandomStream } from "../../../src/random/philox.ts";
import { decodeCheckpoint, serializeCheckpoint } from "../../../src/train/checkpoint/checkpoint.ts";
import { checkpointPath, newestCheckpoint } from "../../../src/train/checkpoint/folder.ts";
import { readModelFile } from "../../../src/train/checkpoint/import.ts";
import { parseSafetensors, serializeSafetensors } from "../../../src/formats/safetensors.ts";
import { withFiles } from "../../temporary.ts";

const digits = await decodeCheckpoint(
  await Deno.readFile(new URL("../../../data/models/digits.safetensors", import.meta.url)),
);
const shipped = {
  ...digits,
  tensors: new Map([...digits.tensors].filter(([name]) => name !== "replay_buffer")),
};
const record = { metrics: '{"iteration":0}\n', best: { iteration: 3, accuracy: 0.5 } };
const whole = await serializeCheckpoint({ ...shipped, record });
const pageBytes = 4096;
const pages = Math.floor(whole.length / pageBytes);

/** Damages a copy of a file at random, and says what the damage is. */
function damage(index: number): { what: string; bytes: Uint8Array<ArrayBuffer> } {
  const random = new RandomStream(7, Purpose.labelledOrder, index);
  const bytes = whole.slice();
  const page = (number: number) => bytes.subarray(number * pageBytes, (number + 1) * pageBytes);
  switch (index % 4) {
    case 0: {
      const bit = random.integer(0, 8 * whole.length);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      return { what: `bit ${bit}`, bytes };
    }
    case 1: {
      const zeroed = random.integer(0, pages);
      page(zeroed).fill(0);
      return { what: `page ${zeroed} zeroed`, bytes };
    }
    case 2: {
      const [first, second] = [random.integer(0, pages), random.integer(1, pages)];
      page(first).set(whole.subarray(second * pageBytes, (second + 1) * pageBytes));
      page(second).set(whole.subarray(first * pageBytes, (first + 1) * pageBytes));
      return { what: `pages ${first} and ${second} swapped`, bytes };
    }
    default: {
      const length = random.integer(0, whole.length);
      return { what: `cut to ${length} bytes`, bytes: bytes.slice(0, length) };
    }
  }
}

function isSame(bytes: Uint8Array): boolean {
  return bytes.length === whole.length && bytes.every((byte, i) => byte === whole[i]);
}

Deno.test("decodeCheckpoint() and readModelFile() notice each of a thousand damages", async () => {
  let tried = 0;
  for (let index = 0; tried < 1000; index++) {
    const { what, bytes } = damage(index);
    // A page swapped with itself is not damaged.
    if (isSame(bytes)) continue;
    tried++;
    // The second function calls the first if it recognises a checkpoint.
    const read = index % 8 < 4 ? decodeCheckpoint : readModelFile;
    await assert.rejects(read(bytes), (error) => {
      assert(error instanceof CheckpointError, `${what}: ${error}`);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    }, what);
  }
});

Deno.test("readModelFile() notices every single bit of length, checksum and names in the metadata", async () => {
  const header = new TextDecoder("latin1").decode(whole.subarray(0, 8192));
  const names = ["configuration", "format", "images", "iteration", "run"].map((name) =>
    header.indexOf(`"${name}"`)
  );
  for (const [begin, end] of [[0, 110], ...names.map((at) => [at, at + 18])] as [number, number][]) {
    for (let bit = 8 * begin; bit < 8 * end; bit++) {
      const bytes = whole.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      await assert.rejects(readModelFile(bytes), CheckpointError, `bit ${bit}`);
    }
  }
});

Deno.test("a checkpoint is plain safetensors, the same for the same state, and files without a checksum load", async () => {
  assert.deepEqual(await serializeCheckpoint({ ...shipped, record }), whole);
  const { tensors, metadata } = parseSafetensors(whole);
  assert.match(metadata["checksum"]!, /^[0-9a-f]{64}$/);
  assert.deepEqual(tensors.get("metrics")!.shape, [record.metrics.length]);
  const { checksum: _, run: __, ...before } = metadata;
  const old = await decodeCheckpoint(serializeSafetensors(tensors, before));
  assert.deepEqual([old.verified, old.iteration], [false, shipped.iteration]);
  const read = await decodeCheckpoint(whole);
  assert.deepEqual([read.verified, read.record], [true, record]);
  assert.deepEqual(read.tensors, shipped.tensors);
});

Deno.test("newestCheckpoint() passes over what is damaged, not finite, no file or another iteration's", async () => {
  const at = (iteration: number) => serializeCheckpoint({ ...shipped, iteration });
  const bias = { shape: [16], data: new Float32Array(16).fill(NaN) };
  const notFinite = {
    ...shipped,
    iteration: 90,
    tensors: new Map(shipped.tensors).set("f.conv1.bias", bias),
  };
  await withFiles({ "run/checkpoints/x": new Uint8Array() }, async (folder) => {
    const run = `${folder}/run`;
    await Deno.writeFile(checkpointPath(run, 40), await at(40));
    await Deno.writeFile(checkpointPath(run, 50), (await at(50)).subarray(0, 5000));
    await Deno.writeFile(checkpointPath(run, 60), await at(40));
    await Deno.mkdir(checkpointPath(run, 70));
    await Deno.symlink("nowhere", checkpointPath(run, 80));
    await Deno.writeFile(checkpointPath(run, 90), await serializeCheckpoint(notFinite));
    const lines: string[] = [];
    assert.equal((await newestCheckpoint(run, (line) => lines.push(line))).iteration, 40);
    const expected = [
      /90.*f\.conv1\.bias holds NaN/,
      /80.*No such file/,
      /70.*not a file/,
      /60.*of iteration 40/,
      /50.*damaged/,
    ];
    assert.equal(lines.length, expected.length);
    expected.forEach((pattern, i) => assert.match(lines[i]!, pattern));
    await Deno.remove(checkpointPath(run, 40));
    await assert.rejects(newestCheckpoint(run, () => {}), /no usable checkpoint/);
  });
});
