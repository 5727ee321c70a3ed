import { imagesToPyTorch } from "../../src/formats/pytorch/layout.ts";
import { type SgldOptions, sgldStep } from "../../src/jem/sgld.ts";
import { evaluation, training } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";
import { compareRunning, inputTensor, leading } from "./comparison.ts";
import { GoldenFile, goldenFiles, modelOf } from "./golden_file.ts";
import { Verdicts } from "./verdict.ts";

for (const path of goldenFiles(/^sgld_chain.*\.safetensors$/)) {
  Deno.test(`golden SGLD chains: ${path.split("/").at(-1)}`, async () => {
    const file = new GoldenFile(path);
    const context = new Context(await testGpu());
    const verdicts = new Verdicts(file);
    const chains = Object.keys(file.hyper<SgldHyper>().n_steps).filter((chain) =>
      verdicts.wants(`${chain}.`)
    );
    for (const chain of chains) {
      await compareChain(context, file, verdicts, chain);
    }
    verdicts.conclude();
  });
}

/** Values that differ between chains are stored by the chain's name. */
interface SgldHyper {
  readonly net: string;
  readonly n_steps: Readonly<Record<string, number>>;
  readonly sgld_lr: number;
  readonly sgld_std: Readonly<Record<string, number>>;
  readonly grad_clamp: Readonly<Record<string, readonly [number, number] | null>>;
  readonly bn_mode: Readonly<Record<string, string>>;
}

async function compareChain(context: Context, file: GoldenFile, verdicts: Verdicts, chain: string) {
  const { net, n_steps, sgld_lr, sgld_std, grad_clamp, bn_mode } = file.hyper<SgldHyper>();
  const start = file.tensor("x_0");
  const state = file.sibling(net).state("");
  for (const [name, tensor] of file.state("override.")) state.set(name, tensor);
  const model = modelOf(context, state, start.shape[3]!);
  const mode = bn_mode[chain] === "train" ? training : evaluation;
  const options: SgldOptions = {
    steps: n_steps[chain]!,
    stepSize: sgld_lr,
    noiseScale: sgld_std[chain]!,
    gradientClamp: grad_clamp[chain]?.[1] ?? Infinity,
  };
  let images = inputTensor(context, start);
  for (let step = 1; step <= options.steps; step++) {
    const noise = options.noiseScale > 0
      ? inputTensor(context, leading(file.tensor("noise"), step - 1))
      : undefined;
    images = sgldStep((x) => model.energyScore(x, mode), images, options, noise);
    const name = `${chain}.x_${step}`;
    if (verdicts.wants(name)) {
      verdicts.compare(name, imagesToPyTorch({ shape: images.shape, data: await images.read() }), "kinks");
    }
  }
  await compareRunning(verdicts, `${chain}.after.`, file, model, "kinks");
}
