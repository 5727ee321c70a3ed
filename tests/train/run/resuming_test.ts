import assert from "node:assert/strict";
import {
  type Checkpoint,
  decodeCheckpoint,
  serializeCheckpoint,
} from "../../../src/train/checkpoint/checkpoint.ts";
import { checkpointPath } from "../../../src/train/checkpoint/folder.ts";
import { parseConfiguration } from "../../../src/train/configuration.ts";
import { RunDirectory } from "../../../src/train/run/run_directory.ts";
import { withFiles } from "../../temporary.ts";

const shipped = await decodeCheckpoint(
  await Deno.readFile(new URL("../../../data/models/digits.safetensors", import.meta.url)),
);
const { configuration } = shipped;
const momentum = { shape: [1], data: new Float32Array(1) };
const tensors = new Map(shipped.tensors).set("momentum.f.conv1.bias", momentum);
const data = {
  name: "digits",
  classes: 10,
  trainingImages: 1437,
  testImages: 360,
  trainingChecksum: "11111111",
  testChecksum: "22222222",
};

/** Writes a changed checkpoint of the run that {@link withRun} makes. */
async function write(run: string, iteration: number, changes: Partial<Checkpoint> = {}): Promise<void> {
  const checkpoint = { ...shipped, tensors, iteration, record: { data }, ...changes };
  await Deno.writeFile(checkpointPath(run, iteration), await serializeCheckpoint(checkpoint));
}

const other = (options: object) => ({ configuration: parseConfiguration({ ...configuration, ...options }) });

async function withRun(use: (run: string, directory: RunDirectory) => Promise<void>): Promise<void> {
  await withFiles({}, async (folder) => {
    using directory = await RunDirectory.create(`${folder}/run`, configuration);
    await directory.noteData(data);
    await use(`${folder}/run`, directory);
  });
}

async function resumed(directory: RunDirectory): Promise<{ iteration: number; lines: string[] }> {
  const lines: string[] = [];
  const { iteration } = await directory.resumableCheckpoint(
    await directory.configuration(),
    (line) => lines.push(line.replaceAll(directory.path, "RUN")),
  );
  return { iteration, lines };
}

Deno.test("a run does not resume from checkpoints of others, models or old files without a word", async () => {
  const strangers: [string, Partial<Checkpoint>, RegExp][] = [
    [
      "another seed",
      other({ seed: 9 }),
      /another run: seed is 9 in the checkpoint and \d+ in config\.json; trying/,
    ],
    [
      "another learning rate",
      other({ learningRate: 0.5 }),
      /another run: learningRate is 0\.5 in the checkpoint/,
    ],
    [
      "other data",
      { record: { data: { ...data, trainingChecksum: "33333333" } } },
      /on other data: .*33333333/,
    ],
    ["a model", { tensors: shipped.tensors }, /it holds no momentum: it is a model/],
  ];
  for (const [what, changes, message] of strangers) {
    await withRun(async (run, directory) => {
      await write(run, 10);
      await write(run, 20, changes);
      const { iteration, lines } = await resumed(directory);
      assert.equal(iteration, 10, what);
      assert.equal(lines.length, 1, what);
      assert.match(lines[0]!, /^warning: RUN\/checkpoints\/00000020\.safetensors/);
      assert.match(lines[0]!, message, what);
    });
  }
});

Deno.test("a run says every edit of config.json, and refuses those that make it another run", async () => {
  const edits: [object, RegExp][] = [
    [{ learningRate: 0.5 }, /^warning: .*learningRate is 0\.\d+ in the checkpoint and 0\.5 in config\.json/],
    [{ rho: 0.5, stepSize: 2 }, /^warning: .*stepSize is .* and 2 in config\.json, rho is .* and 0\.5 in/],
    [{ checkpointEvery: 77 }, /^note: config\.json was changed: checkpointEvery is \d+ .* and 77/],
    [{ evaluateEvery: 77 }, /^note: .*evaluateEvery/],
    [{ iterations: 7777 }, /^note: .*iterations is \d+ .* and 7777/],
  ];
  for (const [options, message] of edits) {
    await withRun(async (run, directory) => {
      await write(run, 10);
      await write(run, 20);
      await directory.writeJson("config.json", { ...configuration, ...options });
      const { iteration, lines } = await resumed(directory);
      assert.equal(iteration, 20);
      assert.equal(lines.length, 1);
      assert.match(lines[0]!, message);
    });
  }
  await withRun(async (run, directory) => {
    await write(run, 10);
    const { lines } = await resumed(directory);
    assert.deepEqual(lines, []);
    const changes = { seed: [configuration.seed, 99] };
    const history = [{ iteration: 10, attempts: 0, changes }];
    const changed = parseConfiguration({ ...configuration, seed: 99, history });
    const unexpected = (line: string) => assert.fail(line);
    // The run itself has recorded the change.
    const { iteration } = await directory.resumableCheckpoint(changed, unexpected);
    assert.equal(iteration, 10);
    await directory.writeJson("config.json", { ...configuration, seed: 99 });
    await assert.rejects(resumed(directory), /holds no usable checkpoint/);
  });
});

Deno.test("RunDirectory says every difference of the data", async () => {
  await withRun(async (_, directory) => {
    assert.deepEqual(await directory.noteData(data), []);
    for (const [key, value] of Object.entries(data)) {
      const changed = typeof value === "number" ? value + 1 : "x";
      const differences = await directory.noteData({ ...data, [key]: changed });
      assert.equal(differences.length, 1, key);
      assert.match(differences[0]!, new RegExp(`\\(.*${value}.* then, .*${changed}.* now\\)`));
    }
  });
});

Deno.test("RunDirectory says that the adapter or its backend is another, by its file or by the checkpoint", async () => {
  const [vulkan, openGL] = ["llvmpipe, Vulkan", "llvmpipe, OpenGL"];
  const silent = () => assert.fail("nothing to say");
  const checkpoint = { ...shipped, iteration: 0, record: { adapter: vulkan }, verified: true };
  await withRun(async (run, directory) => {
    assert.equal(await directory.noteAdapter(vulkan), undefined);
    assert.equal(await directory.noteAdapter(openGL), vulkan);
    assert.equal(directory.recordAt(0).adapter, openGL);
    // The run continued on OpenGL and ended before it wrote a checkpoint.
    await directory.rewind(checkpoint, silent);
    assert.equal(await directory.noteAdapter(openGL), vulkan);
    await Deno.remove(`${run}/adapters.txt`);
    await directory.rewind(checkpoint, silent);
    assert.equal(await directory.noteAdapter(openGL), vulkan);
    assert.equal(await Deno.readTextFile(`${run}/adapters.txt`), `${openGL}\n`);
    await directory.rewind({ ...checkpoint, record: { adapter: openGL } }, silent);
    assert.equal(await directory.noteAdapter(openGL), undefined);
  });
});

Deno.test("RunDirectory.create() refuses what a run has left, and takes over one that has nothing to lose", async () => {
  await withFiles({}, async (folder) => {
    const run = `${folder}/run`;
    const create = async () => (await RunDirectory.create(run, configuration))[Symbol.dispose]();
    await create();
    // The first run was killed before its first checkpoint.
    await create();
    {
      using opened = await RunDirectory.open(run);
      await assert.rejects(resumed(opened), /no checkpoint: .*start it again without --resume/);
    }
    await write(run, 10);
    await assert.rejects(create(), /holds a run already/);
    await Deno.remove(`${run}/config.json`);
    await assert.rejects(create(), /what another run has left \(checkpoints\/00000010\.safetensors\)/);
    await Deno.remove(checkpointPath(run, 10));
    await Deno.writeTextFile(`${run}/metrics.jsonl`, "");
    await assert.rejects(create(), /what another run has left \(metrics\.jsonl\)/);
    await assert.rejects(RunDirectory.create("", configuration), /path of the run is empty/);
    await assert.rejects(RunDirectory.open(""), /path of the run is empty/);
  });
});

Deno.test("RunDirectory removes partial files, and never deletes the checkpoint it has just written", async () => {
  const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  await withFiles({}, async (folder) => {
    const run = `${folder}/run`;
    using directory = await RunDirectory.create(run, configuration);
    const bytes = new Uint8Array(8);
    const silent = () => assert.fail("nothing to say");
    await Deno.writeFile(checkpointPath(run, 50), bytes);
    const keeping = { keepCheckpoints: 1, recover: 0, checkpointEvery: 10 };
    for (const iteration of [10, 20, 30]) {
      await directory.writeCheckpoint(iteration, bytes, keeping, silent);
    }
    assert.deepEqual(names(`${run}/checkpoints`), ["00000030.safetensors", "00000050.safetensors"]);
    const said: string[] = [];
    await directory.rewind({ ...shipped, iteration: 30 }, (line) => said.push(line));
    assert.deepEqual(names(`${run}/checkpoints`), ["00000030.safetensors", "00000050.safetensors.unusable"]);
    assert.match(said.at(-1)!, /^note: .*00000050\.safetensors\.unusable$/);
  });
  await withFiles(
    { "run/config.json": new Uint8Array(), "run/samples/1.png": new Uint8Array() },
    async (folder) => {
      const run = `${folder}/run`;
      await Deno.mkdir(`${run}/checkpoints`);
      for (const name of ["config.json", "checkpoints/00000040.safetensors", "samples/x.png"]) {
        await Deno.writeTextFile(`${run}/${name}.partial`, "half");
      }
      using _ = await RunDirectory.open(run);
      assert.deepEqual(names(run), ["checkpoints", "config.json", "lock", "samples"]);
      assert.deepEqual([names(`${run}/checkpoints`), names(`${run}/samples`)], [[], ["1.png"]]);
    },
  );
});
