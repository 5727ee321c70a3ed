import { imagesToPyTorch } from "../../src/formats/pytorch/layout.ts";
import { sgldChain } from "../../src/jem/sgld.ts";
import { type ReportField, reportFields, TrainingStep } from "../../src/jem/training_step.ts";
import { readModel, splitVector } from "../../src/nn/state_dict.ts";
import { frozenTraining, training, type WideResNet } from "../../src/nn/wide_resnet.ts";
import { Sgd } from "../../src/optim/optimizer.ts";
import { learningRateAt } from "../../src/optim/schedule.ts";
import { SharpnessAware } from "../../src/optim/sharpness_aware.ts";
import { Context } from "../../src/tensor/context.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { testGpu } from "../kernels/harness.ts";
import { compareRunning, inputTensor, leading } from "./comparison.ts";
import { GoldenFile, goldenFiles, modelOf } from "./golden_file.ts";
import { Verdicts } from "./verdict.ts";

/** The step's report, by the names of the reference. */
const reported: Readonly<Record<string, ReportField>> = {
  "pass1.loss": "loss",
  "pass1.ce": "crossEntropy",
  "pass1.fp": "realScore",
  "pass1.fq": "generatedScore",
  "pass2.loss": "secondLoss",
  "pass2.ce": "secondCrossEntropy",
  "pass2.fp": "secondRealScore",
  "pass2.fq": "secondGeneratedScore",
};

interface IterationsHyper {
  readonly inputs: string;
  readonly net: string;
  readonly n_iterations: number;
  readonly lr: number;
  readonly warmup_iters: number;
  readonly rho: number;
  readonly adaptive: boolean;
  readonly momentum: number;
  readonly weight_decay: number;
  readonly px: number;
  readonly l2_coeff: number;
  readonly n_steps: number;
  readonly sgld_lr: number;
  readonly sgld_std: number;
}

for (const path of goldenFiles(/^sada_jem_(?!inputs).*\.safetensors$/)) {
  Deno.test(`golden SADA-JEM iterations: ${path.split("/").at(-1)}`, async () => {
    const file = new GoldenFile(path);
    const hyper = file.hyper<IterationsHyper>();
    const inputs = file.sibling(hyper.inputs);
    const { n_iterations, lr, warmup_iters, rho, adaptive, momentum, weight_decay } = hyper;
    const context = new Context(await testGpu());
    const model = modelOf(context, file.sibling(hyper.net).state(""), inputs.tensor("x_0").shape[4]!);
    const optimizer = new Sgd(context, model.parameters, { momentum, weightDecay: weight_decay });
    const step = new TrainingStep(model, new SharpnessAware(model.parameters, optimizer, { rho, adaptive }), {
      likelihoodWeight: hyper.px,
      l2: hyper.l2_coeff,
      classificationWeight: 1,
      consistentPasses: false,
      divergenceLimit: 1e5,
    });
    const verdicts = new Verdicts(file);
    const rates = { learningRate: lr, warmup: warmup_iters, decayIterations: [], decayRate: 1 };
    const schedule = Array.from({ length: n_iterations }, (_, i) => learningRateAt(rates, i));
    verdicts.compareExact("lr", schedule);
    for (const [i, rate] of schedule.entries()) {
      await compareIteration(verdicts, file, inputs, model, step, i, rate);
      if (i === 0) {
        await compareState(verdicts, file, model, optimizer.state.momentum, "it0.after.", "it0.after.");
      }
    }
    await compareState(verdicts, file, model, optimizer.state.momentum, "final.", "final.params.");
    verdicts.conclude();
  });
}

async function compareIteration(
  verdicts: Verdicts,
  file: GoldenFile,
  inputs: GoldenFile,
  model: WideResNet,
  step: TrainingStep,
  i: number,
  rate: number,
): Promise<void> {
  const { context } = model;
  const { n_steps, sgld_lr, sgld_std } = file.hyper<IterationsHyper>();
  const images = (name: string) => inputTensor(context, leading(inputs.tensor(name), i));
  const labelled = images("x_lab");
  const batch = labelled.shape[0]!;
  const labels = Uint32Array.from(inputs.numbers("y_lab").slice(i * batch, (i + 1) * batch));
  await compareLogits(verdicts, file, model, labelled, `it${i}.pass1.logits`);

  let generated: Tensor | undefined;
  const chain = { steps: n_steps, stepSize: sgld_lr, noiseScale: sgld_std, gradientClamp: 1 };
  step.record(
    {
      real: images("x_p_d"),
      labelled,
      labels: context.from(labels, [batch]),
      draw: () => generated = sgldChain((x) => model.energyScore(x, training), images("x_0"), chain).retain(),
    },
    {
      stream: context.zeros([4], "uint32"),
      schedule: context.from(Float32Array.of(rate, 1, 1, 0), [4]),
      status: context.zeros([4], "uint32"),
    },
  );
  const report = await step.report.read();
  for (const [name, field] of Object.entries(reported)) {
    const full = `it${i}.${name}`;
    // Losses of given images at the starting parameters are smooth. All other values depend on gradients.
    const smooth = full === "it0.pass1.fp" || full === "it0.pass1.ce";
    const value = report[reportFields.indexOf(field)]!;
    verdicts.compareNumber(full, value, smooth ? "smooth" : "kinks");
  }
  const name = `it${i}.x_q`;
  if (file.has(name)) {
    verdicts.compare(
      name,
      imagesToPyTorch({ shape: generated!.shape, data: await generated!.read() }),
      "kinks",
    );
  }
}

/** The logits of the labelled images in the first pass. The model stays unchanged. */
async function compareLogits(
  verdicts: Verdicts,
  file: GoldenFile,
  model: WideResNet,
  images: Tensor,
  name: string,
): Promise<void> {
  if (!file.has(name)) return;
  const tracked = model.runningStatistics.batchesTracked;
  const logits = model.classify(images, frozenTraining);
  model.runningStatistics.batchesTracked = tracked;
  verdicts.compare(name, { shape: logits.shape, data: await logits.read() }, "smooth");
}

async function compareState(
  verdicts: Verdicts,
  file: GoldenFile,
  model: WideResNet,
  momentum: Tensor,
  prefix: string,
  parameterPrefix: string,
): Promise<void> {
  const parameters = await readModel(model);
  for (const [name, tensor] of splitVector(model.parameters, await momentum.read())) {
    const full = `${prefix}momentum.${name}`;
    verdicts.compare(full, tensor, "kinks");
  }
  for (const { name } of model.parameters.all) {
    const full = parameterPrefix + name;
    verdicts.compare(full, parameters.get(name)!, "kinks");
  }
  await compareRunning(verdicts, prefix, file, model, "kinks");
}
