import assert from "node:assert/strict";
import { UsageError } from "../../src/cli/command.ts";
import { inceptionOptions } from "../../src/cli/inception.ts";
import { CheckpointError } from "../../src/errors.ts";
import { InceptionV3, pytorchPreprocessing, tensorflowPreprocessing } from "../../src/evaluate/inception.ts";
import { serializeNpy } from "../../src/formats/npz.ts";
import { serializePyTorch } from "../../src/formats/pytorch/writer.ts";
import { zip } from "../../src/formats/archives/zip_writer.ts";
import { ZipArchive } from "../../src/formats/archives/zip.ts";
import { Context } from "../../src/tensor/context.ts";
import { formulaWeights } from "../golden/formula_weights.ts";
import { testGpu, values } from "../kernels/harness.ts";
import { pythonWith, runPython } from "../python.ts";
import { refuses } from "../refusal.ts";
import { withFiles } from "../temporary.ts";

const context = new Context(await testGpu());
const convention = { "fid-convention": "current" };
const dimension = 2048;
/** Statistics of as many features as FID has: variances of 2, and 0.1 between the first two. */
const statistics = {
  dimension,
  mean: Float64Array.from({ length: dimension }, (_, i) => i === 0 ? 1 : -2.5),
  covariance: covariance([1, 0.1], [dimension, 0.1]),
};

function covariance(...changes: readonly (readonly [number, number])[]): Float64Array<ArrayBuffer> {
  const values = new Float64Array(dimension ** 2);
  for (let i = 0; i < dimension; i++) values[i * dimension + i] = 2;
  for (const [at, value] of changes) values[at] = value;
  return values;
}

/** Uncompressed, as `numpy.savez` writes it. */
function npz(
  mean: Float64Array<ArrayBuffer>,
  covariance: Float64Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const shape = [mean.length, covariance.length / mean.length];
  return zip(
    new Map([
      ["mu.npy", serializeNpy({ shape: [mean.length], data: mean })],
      ["sigma.npy", serializeNpy({ shape, data: covariance })],
    ]),
  );
}
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
print(f["mu"][:2].tolist(), f["sigma"][:2, :2].tolist(), f["sigma"].shape, f["sigma"].dtype)`;
    const read = await runPython(python, script, `${folder}/train.npz`);
    assert.equal(read.trim(), "[1.0, -2.5] [[2.0, 0.1], [0.1, 2.0]] (2048, 2048) float64");
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

Deno.test("inceptionOptions() reads mu and sigma, and refuses what is no covariance of FID's features, before the weights", async () => {
  const { mean } = statistics;
  const [small, nan] = [new Float64Array(64), mean.slice()];
  nan[7] = NaN;
  const refused: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [
      npz(small, new Float64Array(64 ** 2)),
      /\.npz: the statistics are of 64 features \(pytorch-fid --dims 64\)/,
    ],
    [npz(mean, new Float64Array(dimension)), /does not hold mu and sigma of one size/],
    [zip(new Map()), /does not hold mu and sigma/],
    [Uint8Array.of(1, 2, 3), /\.npz: zip: /],
    [npz(nan, covariance()), /mu\[7\] is NaN/],
    [npz(mean, covariance([dimension + 1, -1e-9])), /sigma\[1, 1\] is -1e-9/],
    [npz(mean, covariance([dimension + 1, Infinity])), /sigma\[1, 1\] is Infinity/],
    [npz(mean, covariance([3, NaN])), /sigma\[3, 0\] is 0, but sigma\[0, 3\] is NaN/],
    [npz(mean, covariance([3, 0.1])), /sigma\[3, 0\] is 0, but sigma\[0, 3\] is 0\.1/],
    [
      npz(mean, covariance([1, 2.1], [dimension, 2.1])),
      /sigma\[1, 0\] is 2\.1, more than the variances 2 and 2/,
    ],
  ];
  const weights = "pt_inception-2015-12-05-x.pth";
  await withFiles({ [weights]: Uint8Array.of(1) }, async (folder) => {
    const file = `${folder}/statistics.npz`;
    const asked = () =>
      inceptionOptions(context, { ...convention, inception: folder, "fid-statistics": file });
    for (const [bytes, message] of refused) {
      await Deno.writeFile(file, bytes);
      await refuses(asked(), CheckpointError, message);
    }
    // Next to a text array, an object array and a damaged one, NumPy still reads mu and sigma.
    const sound = new ZipArchive(npz(mean, covariance([1, 0.1], [dimension, 0.1005])));
    const files = new Map(
      await Promise.all(sound.names.map(async (name) => [name, await sound.read(name, 1e9)] as const)),
    );
    files.set("dataset.npy", Uint8Array.of(1, 2, 3));
    await Deno.writeFile(file, zip(files));
    await Deno.writeFile(
      `${folder}/${weights}`,
      serializePyTorch(new Map([["net", nested(formulaWeights())]])),
    );
    const found = await asked();
    assert.deepEqual(found!.statistics!.values.mean, mean);
    (found!.network as InceptionV3)[Symbol.dispose]();
  });
});

/** Tensors under the names that a wrapped network gives them. */
function nested<Tensor>(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...tensors].map(([name, tensor]) => [`module.${name}`, tensor]));
}
