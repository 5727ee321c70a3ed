import assert from "node:assert/strict";
import { configurationHelp } from "../../src/cli/configuration_help.ts";
import { parseSafetensors, serializeSafetensors } from "../../src/formats/safetensors.ts";
import { ownErrors, run } from "./commands.ts";

const folder = Deno.makeTempDirSync();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Options from names and values in turn, as `--set` takes them. */
function settings(...values: readonly (string | number)[]): string[] {
  return values.flatMap((value, i) => i % 2 === 0 ? ["--set", `${value}=${values[i + 1]}`] : []);
}

/** Command lines that cannot work: task, arguments, exit status, and what the one line of the error must say. */
const cases: readonly [string, string[], number, RegExp][] = [
  ["train", ["--preset", "nonesuch"], 2, /no preset "nonesuch".*digits/],
  ["train", ["--set", "rhoo=1"], 2, /unknown option "rhoo".*rho/],
  ["train", ["--set", "rho=-1"], 2, /rho is -1.*at least 0/],
  ["train", ["--set", "depth=11"], 2, /depth is 11.*6n \+ 4/],
  ["train", ["--set", "testShare=1"], 2, /testShare is 1; it must be a number above 0 and below 1/],
  [
    "train",
    ["--set", "dataset=images", "--set", "dataFolder=~/pictures", "--run-dir", `${folder}/a`],
    1,
    /no pictures in \/.*\/~\/pictures, which does not exist: "~" .* write the whole path/,
  ],
  ...([
    ["labelledBatch", 65_535],
    ["depth", 1000, "width", 100],
    ["bufferSize", 10_000_000],
  ] as const).map((sizes): [string, string[], number, RegExp] => [
    "train",
    [...settings(...sizes), "--run-dir", `${folder}/a`],
    1,
    /cannot train with \w+ \d+: .* \d{9,} bytes.*; max\w+ of this device is \d+; \w+ \d+ would fit/,
  ]),
  [
    "train",
    [...settings("residentMebibytes", 0), "--run-dir", `${folder}/a`],
    2,
    /set initialisation to uniform/,
  ],
  ["train", ["--nonsense"], 2, /--nonsense/],
  ["train", ["--optimizer", "adamw"], 2, /optimizer is "adamw"; it must be one of sgd, adam/],
  ["train", ["--help=nonsense"], 2, /--help knows .*, but no "nonsense"; did you mean /],
  ["train", ["--help="], 2, /--help is empty/],
  ["sample", ["--help=options"], 2, /--help takes no value/],
  ["train", ["--seed", "minus one"], 2, /--seed takes a whole number/],
  ["train", ["--config", `${folder}/absent.json`], 1, /absent\.json/],
  ["train", ["--resume", "--run-dir", `${folder}/absent`], 1, /holds no run/],
  [
    "train",
    ["--preset", "cifar10", "--set", `dataFolder=${folder}`, "--run-dir", `${folder}/a`],
    1,
    /cifar/i,
  ],
  ["train", ["--resume", "--kernels", "tuning.json"], 2, /--kernels cannot be changed when a run is resumed/],
  ["train", ["--kernels", `${folder}/damaged.safetensors`], 1, /damaged table of kernels: not valid JSON/],
  ["sample", ["--kernels", `${folder}/absent.json`], 1, /absent\.json/],
  [
    "evaluate",
    ["--kernels", `${folder}/elsewhere.json`],
    1,
    /elsewhere\.json: .* chosen on "another adapter"/,
  ],
  ["tune", ["--preset", "nonesuch"], 2, /no preset "nonesuch"/],
  ["tune", ["--out", `${folder}/elsewhere.json`], 1, /elsewhere\.json: .* chosen on "another adapter"/],
  ["sample", ["--model", `${folder}/absent`], 1, /there is no model/],
  ["sample", ["--model", "absent"], 1, /there is no model absent/],
  ["sample", ["--statistics", "mean"], 2, /--statistics takes batch or running, not "mean"/],
  ["sample", ["--init", "magic"], 2, /informative, buffer, noise/],
  ["sample", ["--class", "eleven"], 2, /--class takes one of/],
  [
    "evaluate",
    ["--model", `${folder}/damaged.safetensors`],
    1,
    /damaged\.safetensors: safetensors: header of \d+ bytes/,
  ],
  ["evaluate", ["--model", `${folder}/nan.safetensors`], 1, /f\.conv1\.bias holds NaN at element 3/],
  [
    "evaluate",
    ["--model", `${folder}/shape.safetensors`],
    1,
    /f\.conv1\.bias has shape \[8\], expected \[16\]/,
  ],
  ["evaluate", ["--model", `${folder}/foreign.safetensors`], 1, /not a "sada-jem checkpoint 1" file/],
  ["evaluate", ["stray"], 2, /stray/],
  ["evaluate", ["--only", "everything"], 2, /--only takes classification, calibration/],
  ["evaluate", ["--ood", "svhn"], 2, /--ood takes NAME=DIR/],
  ["evaluate", ["--inception", `${folder}/absent.pth`], 1, /there is no file .*absent\.pth/],
  ["compare", ["runs/one"], 2, /at least two runs/],
  [
    "compare",
    [`${folder}/one`, `${folder}/two`],
    1,
    /one holds no run \(no config\.json\) and has not been evaluated/,
  ],
];

Deno.test("commands: whatever is wrong with the input ends in one clear line and the right status", async (t) => {
  await Deno.writeTextFile(`${folder}/damaged.safetensors`, "not a checkpoint at all");
  const elsewhere = { adapter: "another adapter", version: 1, choices: [] };
  await Deno.writeTextFile(`${folder}/elsewhere.json`, JSON.stringify(elsewhere));
  await writeDamagedModels();
  for (const [task, args, status, message] of cases) {
    await t.step(`${task} ${args.join(" ").replaceAll(folder, "DIR")}`, async () => {
      const result = await run(task, ...args);
      const [line, ...rest] = ownErrors(result);
      assert.equal(result.status, status, result.errors);
      assert.match(line ?? "", message);
      assert.match(line ?? "", /^error: /);
      const isAboutConfiguration = /^error: (configuration: |no preset )/.test(line!);
      const hint = isAboutConfiguration
        ? "--help=options lists the options of the configuration"
        : "--help lists the options";
      assert.deepEqual(rest, status === 2 ? [hint] : []);
    });
  }
});

Deno.test("train: a truncated CIFAR file is refused with its name and sizes", async () => {
  const data = `${folder}/cifar`;
  await Deno.mkdir(data);
  await Deno.writeFile(`${data}/data_batch_1.bin`, new Uint8Array(3073 * 2 - 5));
  await Deno.writeFile(`${data}/test_batch.bin`, new Uint8Array(3073 * 2));
  const result = await run(
    "train",
    "--preset",
    "cifar10-tiny",
    "--set",
    `dataFolder=${data}`,
    "--run-dir",
    `${folder}/b`,
  );
  assert.equal(result.status, 1);
  assert.match(ownErrors(result)[0] ?? "", /^error: .*data_batch_1\.bin/);
});

Deno.test("commands: --help is complete and exits with 0", async () => {
  for (const task of ["train", "sample", "evaluate", "compare", "convert", "data"]) {
    const { status, output } = await run(task, "--help");
    assert.equal(status, 0);
    assert.match(output, /Usage: \.\/run /);
    assert.match(output, /Examples:/);
  }
  for (const task of ["train", "tune"]) {
    assert.match((await run(task, "--help")).output, /--help=options .*options of the configuration/);
    const { status, output } = await run(task, "--preset", "digits", "--help=options");
    assert.equal(status, 0);
    assert.equal(output.trim(), configurationHelp("options"));
  }
});

/** Model files that are valid but have wrong contents. */
async function writeDamagedModels(): Promise<void> {
  const shipped = await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url));
  const { tensors, metadata } = parseSafetensors(shipped);
  const name = "f.conv1.bias";
  const bias = new Float32Array(new Uint8Array(tensors.get(name)!.data).buffer);
  bias[3] = NaN;
  const write = async (file: string, values: Float32Array, about: Record<string, string>) => {
    const data = new Uint8Array(values.slice().buffer);
    const changed = new Map(tensors).set(name, { dtype: "F32", shape: [values.length], data });
    await Deno.writeFile(`${folder}/${file}`, serializeSafetensors(changed, about));
  };
  await write("nan.safetensors", bias, metadata);
  await write("shape.safetensors", new Float32Array(8), metadata);
  await write("foreign.safetensors", new Float32Array(16), { configuration: "{}" });
}
