import assert from "node:assert/strict";
import { UsageError } from "../../src/cli/command.ts";
import { inceptionOptions } from "../../src/cli/inception.ts";
import { CheckpointError } from "../../src/errors.ts";
import { InceptionV3, pytorchPreprocessing, tensorflowPreprocessing } from "../../src/evaluate/inception.ts";
import { serializePyTorch } from "../../src/formats/pytorch_writer.ts";
import { Context } from "../../src/tensor/context.ts";
import { formulaWeights } from "../golden/formula_weights.ts";
import { testGpu, values } from "../kernels/harness.ts";
import { pythonWith, runPython } from "../python.ts";
import { refuses } from "../refusal.ts";
import { withFiles } from "../temporary.ts";

const context = new Context(await testGpu());
const convention = { "fid-convention": "current" };
const statistics = {
  dimension: 2,
  mean: Float64Array.of(1, -2.5),
  covariance: Float64Array.of(2, 0.1, 0.1, 3),
};
const python = await pythonWith("numpy");

Deno.test("inceptionOptions() finds the weights in a file or a folder, and prepares images by the convention", async () => {
  const weights = formulaWeights();
  const name = "pt_inception-2015-12-05-6726825d.pth";
  await withFiles({ [name]: serializePyTorch(weights), "notes.pth": Uint8Array.of(1) }, async (folder) => {
    const found = await inceptionOptions(context, { ...convention, inception: folder });
    using network = found!.network as InceptionV3;
    using direct = new InceptionV3(context, weights);
    assert.deepEqual([found!.statistics, network.preprocessing], [undefined, pytorchPreprocessing]);
    const image = context.from(values(3 * 64, 1, 0, 1), [1, 8, 8, 3]);
    assert.deepEqual(await network.features(image).logits.read(), await direct.features(image).logits.read());
    const official = { "fid-convention": "official", inception: `${folder}/${name}` };
    using other = (await inceptionOptions(context, official))!.network as InceptionV3;
    assert.equal(other.preprocessing, tensorflowPreprocessing);
  });
});

Deno.test("inceptionOptions() keeps statistics as pytorch-fid reads them, and reads them again", async () => {
  await withFiles({ "pt_inception-2015-12-05-x.pth": serializePyTorch(formulaWeights()) }, async (folder) => {
    const values = { ...convention, inception: folder, "fid-statistics": `${folder}/train.npz` };
    const first = await inceptionOptions(context, values);
    assert.equal(first!.statistics, undefined);
    await first!.keep(statistics);
    const again = await inceptionOptions(context, values);
    assert.deepEqual(again!.statistics, { values: statistics, file: `${folder}/train.npz` });
    for (const { network } of [first!, again!]) (network as InceptionV3)[Symbol.dispose]();
    if (!python) return;
    const script = `
import sys, numpy
f = numpy.load(sys.argv[1])
print(f["mu"].tolist(), f["sigma"].tolist(), f["sigma"].dtype)`;
    const read = await runPython(python, script, `${folder}/train.npz`);
    assert.equal(read.trim(), "[1.0, -2.5] [[2.0, 0.1], [0.1, 3.0]] float64");
  });
});

Deno.test("inceptionOptions() refuses unknown conventions, missing weights and files that are none", async () => {
  await refuses(
    inceptionOptions(context, { "fid-convention": "best" }),
    UsageError,
    /current or official, not "best"/,
  );
  await withFiles({ "a.pth": Uint8Array.of(1, 2, 3) }, async (folder) => {
    const asked = (inception: string) => inceptionOptions(context, { ...convention, inception });
    await refuses(
      asked(`${folder}/no`),
      CheckpointError,
      /there is no file pt_inception-2015-12-05-\*\.pth in/,
    );
    await refuses(asked(folder), CheckpointError, /there is no file pt_inception/);
    await refuses(asked(`${folder}/a.pth`), CheckpointError, /a\.pth: /);
  });
});
