import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseNpz } from "../../src/formats/npz.ts";
import { parseSafetensors } from "../../src/formats/safetensors.ts";
import { pythonWith, runPython } from "../python.ts";
import { withFiles } from "../temporary.ts";
import { ownErrors, run } from "./commands.ts";
import { reproducible } from "../run_files.ts";

const golden = fileURLToPath(new URL("../golden/data/", import.meta.url));

Deno.test("convert: official checkpoints become models, and models files that hold the same tensors", async () => {
  await withFiles({}, async (folder) => {
    const [model, again] = [`${folder}/model.safetensors`, `${folder}/again.safetensors`];
    for (const name of ["checkpoint_zip.pt", "checkpoint_legacy.pt"]) {
      const converted = await run("convert", `${golden}${name}`, model);
      assert.equal(converted.status, 0, converted.errors);
      assert.match(converted.output, /WRN-10-1, norm batch, 10 classes, images of 32×32×3/);
      const back = await run("convert", model, `${folder}/back.pt`);
      assert.equal(back.status, 0, back.errors);
      assert.equal((await run("convert", `${folder}/back.pt`, again)).status, 0);
      const [first, second] = [await Deno.readFile(model), await Deno.readFile(again)];
      assert.deepEqual([...parseSafetensors(second).tensors], [...parseSafetensors(first).tensors]);
    }
  });
});

Deno.test("sample, evaluate: a .pt file is a model; --export leaves arrays for NumPy", async () => {
  await withFiles({}, async (folder) => {
    const out = ["--out", `${folder}/samples.png`, "--export", `${folder}/samples.npz`];
    const options = ["--init", "buffer", "--count", "7", "--steps", "1"];
    const sampled = await run("sample", "--model", `${golden}checkpoint_zip.pt`, ...options, ...out);
    assert.equal(sampled.status, 0, sampled.errors);
    const samples = await parseNpz(await Deno.readFile(`${folder}/samples.npz`));
    const shapes = Object.fromEntries([...samples].map(([name, { shape }]) => [name, shape]));
    assert.deepEqual(shapes, { images: [7, 32, 32, 3], logits: [7, 10], energies: [7] });
    assert((samples.get("images")!.data as Float32Array).every((value) => value >= -1 && value <= 1));

    const quick = ["--only", "classification", "--out", `${folder}/evaluation`];
    const evaluated = await run("evaluate", ...quick, "--export", `${folder}/features.npz`);
    assert.equal(evaluated.status, 0, evaluated.errors);
    const features = await parseNpz(await Deno.readFile(`${folder}/features.npz`));
    assert.deepEqual(features.get("features")!.shape, [360, 64]);
    assert.deepEqual(features.get("labels")!.shape, [360]);
    const logits = features.get("logits")!.data as Float32Array;
    const right = [...features.get("labels")!.data].filter((label, i) => {
      const row = [...logits.subarray(10 * i, 10 * i + 10)];
      return row.indexOf(Math.max(...row)) === Number(label);
    });
    assert(right.length / 360 > 0.98, "the logits are those of the bundled model");
  });
});

Deno.test("sample: a bundled model goes by its name, and its statistics are chosen", async () => {
  await withFiles({}, async (folder) => {
    const energies = async (...options: string[]) => {
      const out = ["--out", `${folder}/samples.png`, "--export", `${folder}/samples.npz`];
      const sampled = await run("sample", "--count", "3", "--steps", "1", ...options, ...out);
      assert.equal(sampled.status, 0, sampled.errors);
      const arrays = await parseNpz(await Deno.readFile(`${folder}/samples.npz`));
      return [...arrays.get("energies")!.data];
    };
    const batch = await energies();
    assert.deepEqual(await energies("--model", "digits", "--statistics", "batch"), batch);
    assert.notDeepEqual(await energies("--statistics", "running"), batch);
  });
});

Deno.test("train: a run with act norm, dropout and held-out images resumes bit for bit, and keeps its best model", async () => {
  const settings = [
    "norm=act",
    "dropout=0.1",
    "validationCount=300",
    "labelsPerClass=20",
    "learningRate=0.001",
  ]
    .concat([
      "likelihoodBatch=8",
      "labelledBatch=8",
      "bufferSize=20",
      "steps=1",
      "evaluateEvery=2",
      "rho=0.05",
    ])
    .flatMap((setting) => ["--set", setting]);
  await withFiles({}, async (folder) => {
    const [whole, parts] = [`${folder}/whole`, `${folder}/parts`];
    const options = [...settings, "--iterations", "6"];
    const once = await run("train", ...options, "--run-dir", whole);
    assert.equal(once.status, 0, once.errors);
    assert.match(once.output, /iteration 2: validation accuracy/);
    assert.match(once.output, /best by validation +.*best\.safetensors \(.* at iteration \d\)/);
    assert.equal((await run("train", ...options, "--run-dir", parts, "--stop-after", "3")).status, 0);
    assert.equal((await run("train", "--resume", "--run-dir", parts)).status, 0);
    for (const name of ["model.safetensors", "best.safetensors", "best.json", "metrics.jsonl"]) {
      assert.deepEqual(
        await reproducible(`${parts}/${name}`),
        await reproducible(`${whole}/${name}`),
        name,
      );
    }
    const only = ["--only", "classification", "--out", `${folder}/evaluation`];
    const evaluated = await run("evaluate", "--model", `${whole}/best.safetensors`, ...only);
    assert.equal(evaluated.status, 0, evaluated.errors);
  });
});

Deno.test("convert, data: hostile files, missing and unknown names end in one clear line", async () => {
  const cases: [string, string[], number, RegExp][] = [
    [
      "convert",
      [`${golden}checkpoint_malicious.pt`, "x.pt"],
      1,
      /malicious\.pt: pickle: it names posix\.system/,
    ],
    ["convert", ["absent.pt", "x.safetensors"], 1, /there is no model absent\.pt/],
    ["convert", [`${golden}checkpoint_zip.pt`, "x.onnx"], 2, /x\.onnx must end in \.safetensors or \.pt/],
    ["convert", ["one.pt"], 2, /two paths/],
    ["convert", [`${golden}sam_inputs.safetensors`, "x.pt"], 1, /no state dict of the official networks/],
    ["convert", [`${golden}checkpoint_zip.pt`, "x.pt", "--norm", "layer"], 1, /has norm batch, not layer/],
    ["data", [], 2, /name a data set: cifar10/],
    ["data", ["imagenet"], 2, /no data set "imagenet"/],
    ["data", ["digits"], 2, /digits needs no download/],
    [
      "train",
      ["--preset", "svhn-jem", "--run-dir", "x"],
      1,
      /svhn: no train_32x32\.mat .*"\.\/run data svhn"/,
    ],
  ];
  for (const [task, args, status, message] of cases) {
    const result = await run(task, ...args);
    assert.equal(result.status, status, result.errors);
    assert.match(ownErrors(result)[0] ?? "", message);
  }
});

const python = await pythonWith("torch");

Deno.test({
  name:
    "convert: torch.load reads what is written, and gives the tensors back (skipped without python3-torch)",
  ignore: python === undefined,
  async fn() {
    await withFiles({}, async (folder) => {
      const [ours, theirs, back] = [`${folder}/ours.pt`, `${folder}/theirs.pt`, `${folder}/back.safetensors`];
      const converted = await run(
        "convert",
        fileURLToPath(new URL("../../data/models/digits.safetensors", import.meta.url)),
        ours,
      );
      assert.equal(converted.status, 0, converted.errors);
      const script = `
import sys, torch
d = torch.load(sys.argv[1])
assert set(d) == {"model_state_dict", "replay_buffer"} and d["replay_buffer"].shape[1:] == (1, 8, 8)
assert d["model_state_dict"]["f.conv1.weight"].shape == (16, 1, 3, 3)
assert d["model_state_dict"]["f.bn1.num_batches_tracked"].dtype == torch.int64
torch.save({"model_state_dict": {"module." + k: v for k, v in d["model_state_dict"].items()}, "replay_buffer": d["replay_buffer"]}, sys.argv[2])`;
      await runPython(python!, script, ours, theirs);
      assert.equal((await run("convert", theirs, back)).status, 0);
      const shipped = await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url));
      const [expected, found] = [parseSafetensors(shipped), parseSafetensors(await Deno.readFile(back))];
      assert.deepEqual([...found.tensors], [...expected.tensors]);
    });
  },
});

Deno.test("convert: a model carries its starts, so that drawing takes no training images", async () => {
  await withFiles({}, async (folder) => {
    const model = `${folder}/carrying.safetensors`;
    const shipped = fileURLToPath(new URL("../../data/models/digits.safetensors", import.meta.url));
    const converted = await run("convert", shipped, model, "--starts", "8", "--steps", "7", "--buffer", "3");
    assert.equal(converted.status, 0, converted.errors);
    const { tensors, metadata } = parseSafetensors(await Deno.readFile(model));
    assert.deepEqual(tensors.get("start_means")!.shape, [10, 1, 8, 8]);
    assert.deepEqual(tensors.get("start_factors")!.shape, [10, 8, 1, 8, 8]);
    assert.deepEqual(tensors.get("replay_buffer")!.shape, [3, 1, 8, 8]);
    assert.equal(JSON.parse(metadata["configuration"]!).dataFolder, null);
    assert.equal(metadata["samplingSteps"], "7");

    const elsewhere = ["--data-folder", `${folder}/nothing`];
    const out = ["--count", "20", "--out", `${folder}/samples.png`, "--export", `${folder}/samples.npz`];
    const sampled = await run("sample", "--model", model, ...elsewhere, ...out);
    assert.equal(sampled.status, 0, sampled.errors);
    const { data } = (await parseNpz(await Deno.readFile(`${folder}/samples.npz`))).get("logits")!;
    const kept = Array.from({ length: 20 }, (_, i) => {
      const row = [...(data as Float32Array).subarray(10 * i, 10 * i + 10)];
      return row.indexOf(Math.max(...row)) === Math.floor(i / 2);
    }).filter(Boolean);
    assert(kept.length >= 17, `${kept.length} of 20 chains end in the class of their start`);

    const [pt, more] = [["--starts", "8"], ["--starts", "64"]];
    const refused = await run("convert", shipped, `${folder}/x.pt`, ...pt);
    assert.match(ownErrors(refused)[0]!, /--starts and --steps are for \.safetensors/);
    const tooMany = await run("convert", shipped, model, ...more);
    assert.match(ownErrors(tooMany)[0]!, /--starts takes fewer directions than the 64 values of an image/);
    const unused = await run("convert", shipped, model, "--data-folder", folder);
    assert.match(ownErrors(unused)[0]!, /--data-folder is for --starts/);
    const alone = await run("convert", shipped, model, "--spectrum");
    assert.match(ownErrors(alone)[0]!, /--spectrum is for --starts/);
    assert.deepEqual([refused, tooMany, unused, alone].map(({ status }) => status), [2, 2, 2, 2]);
  });
});
