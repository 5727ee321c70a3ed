import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { parsePyTorch } from "../../src/formats/pytorch/pytorch.ts";
import { numbersOf } from "../../src/formats/safetensors.ts";
import { evaluation, type WideResNet } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { buildModel } from "../../src/train/build.ts";
import { restoreModel } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { testGpu } from "../kernels/harness.ts";
import { refuses } from "../refusal.ts";
import { inputTensor } from "./comparison.ts";
import { GoldenFile, goldenFiles } from "./golden_file.ts";
import { Verdicts } from "./verdict.ts";

/** The record of a tensor, with a checksum of its bytes and the sum of its elements. */
interface Expected {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
  readonly sum: number;
}

const good = goldenFiles(/^checkpoint_(zip|legacy)\.pt$/);
/** Records of all tensors or of some, if the folder contains them. */
const [record] = goldenFiles(/^checkpoint_expected\.json$/);
const expected: Record<string, Expected> = record ? JSON.parse(await Deno.readTextFile(record)) : {};
const attacks = goldenFiles(/^pgd_.*\.safetensors$/)
  .filter((path) => ["x_adv_10", "logits_10"].every((name) => new GoldenFile(path).has(name)));

for (const path of good) {
  Deno.test(`golden checkpoint, tensor by tensor: ${path.split("/").at(-1)}`, async () => {
    const tensors = await parsePyTorch(await Deno.readFile(path));
    const official = new Map(
      [...tensors].map(([name, tensor]) => [name.replace("model_state_dict.", ""), tensor]),
    );
    for (const [name, { dtype, shape, sha256, sum }] of Object.entries(expected)) {
      const tensor = official.get(name);
      assert(tensor, `${path} holds no tensor ${name}`);
      assert.deepEqual([tensor.dtype, tensor.shape], [dtype, shape], name);
      const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(tensor.data));
      assert.equal(new Uint8Array(digest).toHex(), sha256, name);
      const total = numbersOf(tensor).reduce((total, value) => total + value, 0);
      assert(Math.abs(total - sum) <= 1e-9 * Math.max(1, Math.abs(sum)), name);
    }
  });

  Deno.test(`golden checkpoint becomes a model: ${path.split("/").at(-1)}`, async () => {
    const checkpoint = await readModelFile(await Deno.readFile(path));
    const tracked = expected["f.bn1.num_batches_tracked"];
    if (tracked) assert.equal(checkpoint.batchesTracked, tracked.sum);
    const buffer = expected["replay_buffer"];
    if (buffer) assert.deepEqual(checkpoint.tensors.get("replay_buffer")?.shape, buffer.shape);
    const model = buildModel(new Context(await testGpu()), checkpoint.configuration, checkpoint.images);
    restoreModel(model, checkpoint);
    for (const attack of attacks) await compareLogits(new GoldenFile(attack), model);
  });
}

/** Compares a model's logits with those in a file of attacks on the same model. */
async function compareLogits(file: GoldenFile, model: WideResNet): Promise<void> {
  const logits = model.classify(inputTensor(model.context, file.tensor("x_adv_10")), evaluation);
  const verdicts = new Verdicts(file);
  verdicts.compare("logits_10", { shape: logits.shape, data: await logits.read() }, "smooth");
  for (const name of file.names) if (!["x_adv_10", "logits_10"].includes(name)) file.tensor(name);
  verdicts.conclude();
}

for (const path of goldenFiles(/^checkpoint_malicious.*\.pt$/)) {
  Deno.test(`golden hostile checkpoint is refused by name: ${path.split("/").at(-1)}`, async () => {
    const bytes = await Deno.readFile(path);
    const text = new TextDecoder("latin1").decode(bytes);
    const created = /touch ([\w/.-]+)/.exec(text)?.[1];
    await refuses(parsePyTorch(bytes), FormatError, /names (posix|os)\.system, which tensors do not need/);
    if (created) await assert.rejects(Deno.stat(created), Deno.errors.NotFound);
  });
}
