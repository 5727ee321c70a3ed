/** A gradient of a Wide ResNet on jax-js. */

import {
  type Array as JaxArray,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  valueAndGrad,
} from "@jax-js/jax";
import { imagesToPyTorch } from "../../src/formats/pytorch/layout.ts";
import { timeCalls } from "../lib/timing.ts";
import { architectureOf, type GradientCase, type GradientResult, inputsOf, norm } from "./gradient_case.ts";
import { JaxResults } from "./jax_results.ts";
import { initialParameters } from "./parameters.ts";

type Parameters = Record<string, JaxArray>;

/** Takes a parameter without giving up the caller's reference. */
const take = (p: Parameters, name: string) => p[name]!.ref;

function convolve(p: Parameters, name: string, x: JaxArray, stride: number, padding: number): JaxArray {
  const y = lax.convGeneralDilated(x, take(p, `${name}.weight`), [stride, stride], [
    [padding, padding],
    [padding, padding],
  ]);
  return y.add(take(p, `${name}.bias`).reshape([1, -1, 1, 1]));
}

function normActivate(p: Parameters, name: string, x: JaxArray): JaxArray {
  const axes = [0, 2, 3];
  const centred = x.ref.sub(np.mean(x, axes, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), axes, { keepdims: true });
  const normal = centred.div(np.sqrt(variance.add(1e-5)));
  const scaled = normal.mul(take(p, `${name}.weight`).reshape([1, -1, 1, 1]))
    .add(take(p, `${name}.bias`).reshape([1, -1, 1, 1]));
  return nn.leakyRelu(scaled, 0.2);
}

function block(p: Parameters, name: string, x: JaxArray, stride: number): JaxArray {
  const hidden = convolve(p, `${name}.conv1`, normActivate(p, `${name}.bn1`, x.ref), 1, 1);
  const residual = convolve(p, `${name}.conv2`, normActivate(p, `${name}.bn2`, hidden), stride, 1);
  const shortcut = `${name}.shortcut.0`;
  return residual.add(`${shortcut}.weight` in p ? convolve(p, shortcut, x, stride, 0) : x);
}

/** A network of consecutive groups, each with `blocks` blocks. */
function classify(p: Parameters, x: JaxArray, blocks: number): JaxArray {
  let h = convolve(p, "f.conv1", x, 1, 1);
  for (const layer of [1, 2, 3]) {
    for (let i = 0; i < blocks; i++) h = block(p, `f.layer${layer}.${i}`, h, layer > 1 && i === 0 ? 2 : 1);
  }
  const features = np.mean(normActivate(p, "f.bn1", h), [2, 3]);
  return np.matmul(features, np.transpose(take(p, "class_output.weight"))).add(take(p, "class_output.bias"));
}

/** Times a gradient, with its forward pass compiled by `jit`. */
export async function measureGradient(benchmark: GradientCase): Promise<GradientResult> {
  const { batch, subject, depth } = benchmark;
  await init("webgpu");
  defaultDevice("webgpu");
  const blocks = (depth - 4) / 6;
  const parameters: Parameters = Object.fromEntries(
    [...await initialParameters(architectureOf(benchmark))].map(([name, { shape, data }]) =>
      [name, np.array(new Float32Array(data), { shape: [...shape] })] as const
    ),
  );
  const { images, labels } = inputsOf(benchmark);
  const nchw = imagesToPyTorch({ shape: [batch, 32, 32, 3], data: images });
  const x = np.array(nchw.data as Float32Array<ArrayBuffer>, { shape: [...nchw.shape] });
  const hot = new Float32Array(batch * 10);
  labels.forEach((label, i) => hot[i * 10 + label] = 1);
  const y = np.array(hot, { shape: [batch, 10] });
  const byParameters = jit(
    valueAndGrad((p: Parameters, x: JaxArray, oneHot: JaxArray) =>
      np.sum(nn.logSoftmax(classify(p, x, blocks), 1).mul(oneHot)).mul(-1 / batch)
    ),
  );
  const byImages = jit(
    valueAndGrad((x: JaxArray, p: Parameters) => np.sum(nn.logsumexp(classify(p, x, blocks), 1))),
  );

  const results = new JaxResults();
  let names: string[] = [];
  const call = () => {
    const held = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, value.ref]));
    if (subject === "images") {
      const [value, images] = byImages(x.ref, held) as [JaxArray, JaxArray];
      names = ["images"];
      results.add([value, images]);
    } else {
      const [value, gradients] = byParameters(held, x.ref, y.ref) as [JaxArray, Parameters];
      names = Object.keys(gradients);
      results.add([value, ...Object.values(gradients)]);
    }
  };
  const times = await timeCalls(call, () => results.wait());
  const [value, ...gradients] = await Promise.all(results.latest.map((array) => array.ref.data()));
  const norms = names.map((name, i) => [name, norm(gradients[i] as Float32Array)] as const);
  return { ...times, loss: value![0]!, norms: Object.fromEntries(norms) };
}
