import { splitVector } from "../../src/nn/state_dict.ts";
import { frozenTraining, training, type WideResNet } from "../../src/nn/wide_resnet.ts";
import { Adam, type Optimizer, Sgd } from "../../src/optim/optimizer.ts";
import { SharpnessAware } from "../../src/optim/sharpness_aware.ts";
import { Context } from "../../src/tensor/context.ts";
import { mean } from "../../src/tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../../src/tensor/operations/softmax_cross_entropy.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { testGpu } from "../kernels/harness.ts";
import { compareRunning, inputTensor, scalar } from "./comparison.ts";
import { GoldenFile, goldenFiles, modelOf } from "./golden_file.ts";
import { type Sensitivity, Verdicts } from "./verdict.ts";

interface SamHyper {
  readonly base: "sgd" | "adam";
  readonly net: string;
  readonly batch: string;
  readonly steps: number;
  readonly lr: number;
  readonly rho: number;
  readonly adaptive: boolean;
  readonly weight_decay: number;
  /** Only for SGD. */
  readonly momentum: number;
  /** Only for Adam. */
  readonly betas?: readonly [number, number];
  readonly eps?: number;
}

for (const path of goldenFiles(/^sam_(sgd|adam).*\.safetensors$/)) {
  Deno.test(`golden SAM steps: ${path.split("/").at(-1)}`, async () => {
    const file = new GoldenFile(path);
    const hyper = file.hyper<SamHyper>();
    const { lr, net, batch, steps, rho, adaptive } = hyper;
    const inputs = file.sibling(batch);
    const context = new Context(await testGpu());
    const model = modelOf(context, file.sibling(net).state(""), inputs.tensor("x").shape[3]!);
    const x = inputTensor(context, inputs.tensor("x"));
    const labels = context.from(Uint32Array.from(inputs.numbers("labels")), [x.shape[0]!]);
    const optimizer = optimizerOf(model, hyper);
    const sam = new SharpnessAware(model.parameters, optimizer, { rho, adaptive });
    const status = context.zeros([4], "uint32");
    const verdicts = new Verdicts(file);
    for (let step = 1; step <= steps; step++) {
      const corrections = (hyper.betas ?? [0, 0]).map((beta) => 1 - beta ** step);
      const schedule = context.from(Float32Array.of(lr, ...corrections, 0), [4]);
      const comparison = new StepComparison(verdicts, file, model, step);
      await comparison.run(sam, optimizer, x, labels, { schedule, status });
    }
    await compareRunning(verdicts, "after.", file, model, "kinks");
    verdicts.conclude();
  });
}

function optimizerOf({ context, parameters }: WideResNet, hyper: SamHyper): Optimizer {
  const weightDecay = hyper.weight_decay;
  if (hyper.base === "sgd") return new Sgd(context, parameters, { momentum: hyper.momentum, weightDecay });
  const [beta1, beta2] = hyper.betas!;
  return new Adam(context, parameters, { beta1, beta2, epsilon: hyper.eps ?? 1e-8, weightDecay });
}

/** Runs one step and compares the results with those in the file. */
class StepComparison {
  readonly #prefix: string;

  constructor(
    readonly verdicts: Verdicts,
    readonly file: GoldenFile,
    readonly model: WideResNet,
    readonly step: number,
  ) {
    this.#prefix = `step${step}.`;
  }

  async run(
    sam: SharpnessAware,
    optimizer: Optimizer,
    x: Tensor,
    labels: Tensor,
    inputs: { schedule: Tensor; status: Tensor },
  ): Promise<void> {
    const { context, parameters } = this.model;
    const losses: Tensor[] = [];
    const kept: Tensor[] = [];
    const keepCopy = (vector: Tensor) => {
      const copy = context.empty(vector.shape);
      copy.copyFrom(vector);
      kept.push(copy);
    };
    sam.step(inputs, (pass) => {
      if (pass === "second") keepCopy(parameters.values);
      const mode = pass === "first" ? training : frozenTraining;
      const { value } = context.differentiate(
        { parameters: parameters.trainable },
        () => mean(softmaxCrossEntropy(this.model.classify(x, mode), labels).losses),
      );
      losses.push(value);
      keepCopy(parameters.gradients);
    });
    const [gradient1, perturbed, gradient2] = kept as [Tensor, Tensor, Tensor];

    const first = this.step === 1;
    this.verdicts.compareNumber(`${this.#prefix}loss1`, await scalar(losses[0]!), first ? "smooth" : "kinks");
    this.verdicts.compareNumber(`${this.#prefix}loss2`, await scalar(losses[1]!), "kinks");
    this.verdicts.compareNumber(`${this.#prefix}grad_norm`, await scalar(sam.gradientNorm), "kinks");
    await this.#compareVector("grad1", gradient1);
    await this.#compareVector("perturbed", perturbed);
    await this.#compareVector("grad2", gradient2);
    await this.#compareVector("params", parameters.values);
    for (const [kind, vector] of Object.entries(optimizer.state)) await this.#compareVector(kind, vector);
  }

  async #compareVector(kind: string, vector: Tensor): Promise<void> {
    for (const [name, tensor] of splitVector(this.model.parameters, await vector.read())) {
      const full = `${this.#prefix}${kind}.${name}`;
      this.verdicts.compare(full, tensor, this.#sensitivity(kind, name));
    }
  }

  /** The gradients of convolution biases are rounding errors, and Adam divides them by their own size. */
  #sensitivity(kind: string, name: string): Sensitivity {
    const { base, lr } = this.file.hyper<SamHyper>();
    const noise = base === "adam" && /(conv1|conv2|shortcut\.0)\.bias$/.test(name);
    if (!noise || (kind !== "params" && kind !== "perturbed")) return "kinks";
    return { noiseBound: 2 * lr * this.step };
  }
}
