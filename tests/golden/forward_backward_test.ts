import { adapterFamilies, type AdapterFamily } from "../../src/gpu/adapter_family.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { type GpuKind, gpuKinds } from "../../src/kernels/gpu_kind.ts";
import { imagesToPyTorch } from "../../src/formats/pytorch/layout.ts";
import { readModel, splitVector, type StateDict } from "../../src/nn/state_dict.ts";
import { evaluation, frozenTraining, training, type WideResNet } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import type { Conv2dChooser } from "../../src/tensor/operations/conv2d/choice.ts";
import type { NormMode } from "../../src/tensor/operations/batch_norm.ts";
import { logSumExp } from "../../src/tensor/operations/log_sum_exp.ts";
import { mean, sum } from "../../src/tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../../src/tensor/operations/softmax_cross_entropy.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { testGpu } from "../kernels/harness.ts";
import { forFamily, onDawnInSoftware } from "../opengl.ts";
import { GoldenFile, goldenFiles, modelOf } from "./golden_file.ts";
import { compareRunning, inputTensor, scalar } from "./comparison.ts";
import { Verdicts } from "./verdict.ts";

/** Every file runs with the kernels of every family of adapters, whatever adapter is in use. */
function inEveryFamily(pattern: RegExp): { path: string; family: AdapterFamily; title: string }[] {
  return goldenFiles(pattern).flatMap((path) =>
    adapterFamilies.map((family) => ({
      path,
      family,
      title: `${path.split("/").at(-1)}, kernels for ${family}`,
    }))
  );
}

for (const { path, family, title } of inEveryFamily(/^wrn_forward_batch.*\.safetensors$/)) {
  Deno.test({
    ...forFamily(family, `golden forward passes: ${title}`),
    fn: () => forwardPasses(path, family),
  });
}

async function forwardPasses(path: string, family: AdapterFamily): Promise<void> {
  const file = new GoldenFile(path);
  const gpu = await Gpu.request(family);
  const context = new Context(gpu);
  const model = modelOf(context, file.state("state."), file.tensor("x").shape[3]!);
  const verdicts = new Verdicts(file);
  const x = inputTensor(context, file.tensor("x"));
  await compareForward(verdicts, "eval.", model, x, evaluation);
  await compareForward(verdicts, "train.", model, x, training);
  await compareRunning(verdicts, "train.after.", file, model, "smooth");
  gpu.destroy();
  verdicts.conclude();
}

for (const path of goldenFiles(/^wrn_forward_norms.*\.safetensors$/)) {
  Deno.test(`golden norms: ${path.split("/").at(-1)}`, async () => {
    const file = new GoldenFile(path);
    const context = new Context(await testGpu());
    const verdicts = new Verdicts(file);
    const shared = file.state("state.");
    const x = inputTensor(context, file.tensor("x"));
    for (const norm of ["none", "layer", "instance"] as const) {
      if (!verdicts.wants(...outputs(norm))) continue;
      const state = new Map([...shared, ...file.state(`${norm}.state.`)]);
      const model = modelOf(context, state, x.shape[1]!, norm);
      await compareForward(verdicts, `${norm}.`, model, x, evaluation);
      await compareEnergyGradient(verdicts, `${norm}.`, model, x, training);
    }
    const actNorm = new Map([...shared, ...file.state("act.state.")]);
    if (verdicts.wants("act.")) await compareActNorm(verdicts, file, actNorm, x);
    verdicts.conclude();
  });
}

/** Prefixes of the names of a model's outputs with this norm. The norm's own parameters have other names. */
function outputs(norm: string): string[] {
  return ["logits", "energy", "feature", "stage", "grad_x"].map((kind) => `${norm}.${kind}`);
}

/** Act norm initialises itself from the first images that it sees, and does not change after that. */
async function compareActNorm(
  verdicts: Verdicts,
  file: GoldenFile,
  state: StateDict,
  x: Tensor,
): Promise<void> {
  const model = modelOf(x.context, state, x.shape[1]!);
  model.initialiseNorms(x);
  await compareForward(verdicts, "act.train.", model, x, training);
  const after = await readModel(model);
  for (const name of file.names.filter((name) => name.startsWith("act.state_after."))) {
    const key = name.slice("act.state_after.".length);
    if (key.endsWith(".initialized")) verdicts.compareCount(name, Number(model.normsInitialised));
    else verdicts.compare(name, after.get(key)!, "smooth");
  }
  const firstTwo = x.slice(0, [2, ...x.shape.slice(1)]);
  model.initialiseNorms(firstTwo);
  const logits = model.classify(firstTwo, training);
  verdicts.compare("act.eval_first_two.logits", { shape: logits.shape, data: await logits.read() }, "smooth");
  await compareEnergyGradient(verdicts, "act.", model, x, training);
}

for (const { path, family, title } of inEveryFamily(/^wrn_backward.*\.safetensors$/)) {
  // Each of the ten runs compiles some 50 kernels for GPUs, which takes a minute there. tests/tensor checks that Dawn
  // compiles every candidate correctly. Deno's WebGPU checks that every candidate suits these shapes.
  const onlyDefaults = onDawnInSoftware && family === "gpu";
  const which = onlyDefaults ? "the defaults alone" : "every candidate";
  const name = `golden gradients: ${title}, ${which} for the convolutions`;
  Deno.test({ ...forFamily(family, name), fn: () => gradientsByAll(path, family, { onlyDefaults }) });
}

for (const path of goldenFiles(/^wrn_backward.*\.safetensors$/)) {
  for (const kind of gpuKinds) {
    const name = `golden gradients: ${path.split("/").at(-1)}, kernels for GPUs of the kind ${kind}`;
    Deno.test({ ...forFamily("gpu", name), fn: () => gradientsByAll(path, "gpu", { kind }) });
  }
}

async function gradientsByAll(
  path: string,
  family: AdapterFamily,
  { kind, onlyDefaults = kind !== undefined }: { readonly kind?: GpuKind; readonly onlyDefaults?: boolean },
): Promise<void> {
  const gpu = await Gpu.request(family, kind);
  // The first run uses the default of every convolution, the next the second candidate of each, as long as there are
  // any.
  for (let place = 0, longest = 1; place < longest; place++) {
    const choose: Conv2dChooser = (candidates) => {
      // Kinds of GPUs differ only in the default candidate.
      longest = onlyDefaults ? 1 : Math.max(longest, candidates.length);
      return candidates[place] ?? candidates[0];
    };
    const file = new GoldenFile(path);
    const { model, x } = backwardCase(file, new Context(gpu, { choose }));
    const verdicts = new Verdicts(file);
    await compareCrossEntropy(verdicts, "train.", file, model, x, frozenTraining);
    if (place > 0) {
      verdicts.assertEqual();
      continue;
    }
    await compareEnergyGradient(verdicts, "train.", model, x, frozenTraining);
    await compareCrossEntropy(verdicts, "eval.", file, model, x, evaluation);
    await compareEnergyGradient(verdicts, "eval.", model, x, evaluation);
    verdicts.conclude();
  }
  gpu.destroy();
}

/** The model and images of a gradient. */
function backwardCase(file: GoldenFile, context: Context): { model: WideResNet; x: Tensor } {
  const forward = file.sibling(file.hyper<{ readonly state_and_x_from: string }>().state_and_x_from);
  const model = modelOf(context, forward.state("state."), forward.tensor("x").shape[3]!);
  return { model, x: inputTensor(context, forward.tensor("x")) };
}

async function compareForward(
  verdicts: Verdicts,
  prefix: string,
  model: WideResNet,
  x: Tensor,
  mode: NormMode,
): Promise<void> {
  if (!verdicts.wants(...["logits", "energy", "feature", "stage."].map((kind) => prefix + kind))) return;
  const stages = new Map<string, Tensor>();
  const feature = model.features(x, mode, (stage, output) => stages.set(stage, output.retain()));
  const frozen = mode.statistics === "batch" ? frozenTraining : mode;
  const tracked = model.runningStatistics.batchesTracked;
  const logits = model.classify(x, frozen);
  model.runningStatistics.batchesTracked = tracked;
  const energy = logSumExp(logits);
  for (const [name, tensor] of Object.entries({ feature, logits, energy })) {
    verdicts.compare(prefix + name, { shape: tensor.shape, data: await tensor.read() }, "smooth");
  }
  for (const [stage, output] of stages) {
    const { means, deviations } = channelMoments(await output.read(), output.shape.at(-1)!);
    verdicts.compare(`${prefix}stage.${stage}.mean`, { shape: [means.length], data: means }, "smooth");
    verdicts.compare(`${prefix}stage.${stage}.std`, { shape: [means.length], data: deviations }, "smooth");
  }
}

async function compareCrossEntropy(
  verdicts: Verdicts,
  prefix: string,
  file: GoldenFile,
  model: WideResNet,
  x: Tensor,
  mode: NormMode,
): Promise<void> {
  // Labels are not a result, so any file may contain them.
  const labelsOf = () => model.context.from(Uint32Array.from(file.numbers("labels")), [x.shape[0]!]);
  const labels = file.has("labels") ? labelsOf() : undefined;
  if (!verdicts.wants(`${prefix}ce`, `${prefix}grad_x_ce`, `${prefix}grad.`)) return;
  const { parameters } = model;
  parameters.gradients.clear();
  const { value, gradients } = model.context.differentiate(
    { inputs: [x], parameters: parameters.trainable },
    () => mean(softmaxCrossEntropy(model.classify(x, mode), labels ?? labelsOf()).losses),
  );
  verdicts.compareNumber(`${prefix}ce`, await scalar(value), "smooth");
  const gradient = imagesToPyTorch({ shape: x.shape, data: await gradients[0]!.read() });
  verdicts.compare(`${prefix}grad_x_ce`, gradient, "kinks");
  for (const [name, tensor] of splitVector(parameters, await parameters.gradients.read())) {
    verdicts.compare(`${prefix}grad.${name}`, tensor, "kinks");
  }
}

async function compareEnergyGradient(
  verdicts: Verdicts,
  prefix: string,
  model: WideResNet,
  x: Tensor,
  mode: NormMode,
): Promise<void> {
  if (!verdicts.wants(`${prefix}grad_x_energy_sum`)) return;
  const { gradients } = model.context.differentiate({ inputs: [x] }, () => sum(model.energyScore(x, mode)));
  const gradient = imagesToPyTorch({ shape: x.shape, data: await gradients[0]!.read() });
  verdicts.compare(`${prefix}grad_x_energy_sum`, gradient, "kinks");
}

/** Mean and biased standard deviation of each channel of `[..., C]`, in double precision. */
function channelMoments(values: Float32Array, channels: number) {
  const rows = values.length / channels;
  const means = new Float64Array(channels);
  const squares = new Float64Array(channels);
  values.forEach((value, i) => means[i % channels]! += value / rows);
  values.forEach((value, i) => squares[i % channels]! += (value - means[i % channels]!) ** 2 / rows);
  return { means: Float32Array.from(means), deviations: Float32Array.from(squares, Math.sqrt) };
}
