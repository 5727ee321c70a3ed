import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { digitNames } from "../../src/data/class_names.ts";
import { type Checkpoint, decodeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { serializeOfficial } from "../../src/train/checkpoint/import.ts";
import { beginningFrom } from "../../src/cli/training/origin.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { preset } from "../../src/train/presets.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";
import { reproducible } from "../run_files.ts";
import { requireSameBytes } from "../same_bytes.ts";
import { withFiles } from "../temporary.ts";
import { ownErrors, run } from "./commands.ts";

const golden = fileURLToPath(new URL("../golden/data/", import.meta.url));
const shipped = await decodeCheckpoint(
  await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url)),
);
const entries = 20;
const options = ["likelihoodBatch=8", "labelledBatch=8", "steps=1", "rho=0.05", "dataLimit=100"]
  .flatMap((setting) => ["--set", setting])
  .concat(["--seed", "5", "--iterations", "4"]);

/** The shipped model as the official code would save it, with only its first classes and replay images. */
function official(classes: number, change?: (tensors: Checkpoint["tensors"]) => void): Uint8Array {
  const tensors = new Map(shipped.tensors);
  for (
    const [name, rows] of [["class_output.weight", classes], ["class_output.bias", classes], [
      "replay_buffer",
      entries,
    ]] as const
  ) {
    const { shape, data } = tensors.get(name)!;
    const size = data.length / shape[0]!;
    tensors.set(name, { shape: [rows, ...shape.slice(1)], data: data.slice(0, rows * size) });
  }
  change?.(tensors);
  const images = { ...shipped.images, classNames: digitNames.slice(0, classes) };
  return serializeOfficial({ ...shipped, tensors, images });
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toHex();
}

Deno.test("train --from: an official checkpoint of other classes is fine-tuned, and resumed without it bit for bit", async () => {
  const bytes = official(6);
  await withFiles({ "six.pt": bytes }, async (folder) => {
    const [file, whole, parts] = [`${folder}/six.pt`, `${folder}/whole`, `${folder}/parts`];
    const once = await run("train", "--from", file, ...options, "--run-dir", whole);
    assert.equal(once.status, 0, once.errors);
    const said = once.output.split("\n").filter((line) => line.startsWith("from "));
    assert.deepEqual(said, [
      `from ${file}: parameters and running statistics; replay buffer of 20 images; new head, because 10 ≠ 6 classes`,
    ]);
    const configuration = JSON.parse(await Deno.readTextFile(`${whole}/config.json`));
    assert.deepEqual(configuration.origin, { path: file, sha256: await sha256(bytes) });
    assert.equal(configuration.bufferSize, entries);

    const first = await run("train", "--from", file, ...options, "--run-dir", parts, "--stop-after", "2");
    assert.equal(first.status, 0, first.errors);
    await Deno.remove(file);
    const second = await run("train", "--resume", "--run-dir", parts);
    assert.equal(second.status, 0, second.errors);
    assert.doesNotMatch(second.output, /^from |bit for bit|other data/m);
    for (
      const name of ["model.safetensors", "checkpoints/00000004.safetensors", "metrics.jsonl", "config.json"]
    ) {
      requireSameBytes(
        await reproducible(`${parts}/${name}`),
        await reproducible(`${whole}/${name}`),
        name,
      );
    }
  });
});

Deno.test("beginningFrom() gives all ranks of a job the model that rank 0 reads", async () => {
  await withFiles({ "six.pt": official(6) }, async (folder) => {
    const choice = { configuration: parseConfiguration(preset("digits")), given: new Set<string>() };
    const [first, other] = await Promise.all(
      processesInOne(2).map(async (communicator, rank) => {
        const path = rank === 0 ? `${folder}/six.pt` : "not there";
        return await beginningFrom(communicator, path, undefined, choice);
      }),
    );
    assert.deepEqual(other!.configuration, first!.configuration);
    assert.deepEqual(other!.model.images, first!.model.images);
    assert.deepEqual([...other!.model.tensors], [...first!.model.tensors]);
    assert.equal(other!.model.batchesTracked, shipped.batchesTracked);
  });
});

Deno.test("train --from: what does not fit or is damaged is refused in one line, and leaves no run", async () => {
  const nan = (name: string) => (tensors: Checkpoint["tensors"]) => {
    const { shape, data } = tensors.get(name)!;
    const changed = data.slice();
    changed[3] = NaN;
    tensors.set(name, { shape, data: changed });
  };
  const safetensors = await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url));
  const ofRun = JSON.stringify({
    ...shipped.configuration,
    origin: { path: "x.pt", sha256: "0".repeat(64) },
  });
  const files = {
    "whole.pt": official(10),
    "cut.pt": official(10).slice(0, -5000),
    "cut.safetensors": safetensors.slice(0, -5000),
    "nan.pt": official(10, nan("f.layer1.0.conv1.weight")),
    "nan_buffer.pt": official(10, nan("replay_buffer")),
    "config.json": new TextEncoder().encode(ofRun),
  };
  await withFiles(files, async (folder) => {
    const path = (name: string) => `${folder}/${name}`;
    const cases: [string[], number, RegExp][] = [
      [
        ["--from", "digits", "--set", "depth=16"],
        2,
        /depth is 16, where the model in digits has 10; leave depth out$/,
      ],
      [
        ["--from", path("whole.pt"), "--set", "width=2"],
        2,
        /width is 2, where the model in .*whole\.pt has 1/,
      ],
      [["--from", path("whole.pt"), "--set", "norm=layer"], 1, /the model has norm batch, not layer$/],
      [
        ["--from", `${golden}checkpoint_zip.pt`],
        1,
        /digits: images of 8×8×1, the model takes 32×32×3; choose other data/,
      ],
      [["--from", path("cut.pt")], 1, /cut\.pt: /],
      [["--from", path("cut.safetensors")], 1, /cut\.safetensors: .*the file is truncated$/],
      [["--from", path("nan.pt")], 1, /nan\.pt: tensor f\.layer1\.0\.conv1\.weight holds NaN at element 3$/],
      [["--from", path("nan_buffer.pt")], 1, /nan_buffer\.pt: tensor replay_buffer holds NaN at element 3$/],
      [["--from", `${golden}checkpoint_malicious.pt`], 1, /malicious\.pt: pickle: it names posix\.system/],
      [["--from", "absent"], 1, /there is no model absent$/],
      [
        ["--from", path("whole.pt"), "--state", "ema"],
        1,
        /no state dict at "ema"; it does at "model_state_dict"$/,
      ],
      [["--state", "ema"], 2, /--state is of use with --from only$/],
      [
        ["--from", "digits", "--resume"],
        2,
        /--from begins a new run; a run that is resumed goes on from its own/,
      ],
      [
        ["--config", path("config.json")],
        2,
        /config\.json is of a run that began with the model in x\.pt; name one/,
      ],
      [["--set", "origin=null"], 2, /configuration: origin is only written by runs$/],
    ];
    for (const [args, status, message] of cases) {
      const result = await run("train", ...args, "--run-dir", path("run"));
      assert.equal(result.status, status, `${args}: ${result.errors}`);
      const [line, ...others] = ownErrors(result).filter((line) =>
        !/^--help(=options)? lists the options/.test(line)
      );
      assert.match(line ?? "", message);
      assert.match(line!, /^error: /);
      assert.deepEqual(others, []);
      await assert.rejects(Deno.stat(path("run")), Deno.errors.NotFound);
    }
  });
});
