/** Times the case of `gradient.ts` on jax-js; prints JSON. */

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
import { Context } from "../src/tensor/context.ts";
import { Gpu } from "../src/gpu/gpu.ts";
import { imagesToPyTorch } from "../src/formats/pytorch_layout.ts";
import { readModel } from "../src/nn/state_dict.ts";
import { WideResNet } from "../src/nn/wide_resnet.ts";
import { architecture, batch, inputs, norm, seed, subjectOf, timeCalls } from "./gradient_case.ts";
import type { GradientResult } from "./gradient.ts";

type Parameters = Record<string, JaxArray>;

/** The same initial parameters, in PyTorch's layout, which is also jax-js's. */
async function initialParameters(): Promise<{ parameters: Parameters; adapter: string }> {
  const gpu = await Gpu.request();
  const state = await readModel(new WideResNet(new Context(gpu), architecture, seed));
  gpu.destroy();
  const trained = [...state].filter(([name]) => !/running_|^energy_output/.test(name));
  const parameters = trained.map(([name, { shape, data }]) =>
    [name, np.array(new Float32Array(data), { shape: [...shape] })] as const
  );
  return { parameters: Object.fromEntries(parameters), adapter: gpu.adapterName };
}

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
  return residual.add(stride === 1 ? x : convolve(p, `${name}.shortcut.0`, x, stride, 0));
}

function classify(p: Parameters, x: JaxArray): JaxArray {
  let h = convolve(p, "f.conv1", x, 1, 1);
  for (const [layer, stride] of [["f.layer1.0", 1], ["f.layer2.0", 2], ["f.layer3.0", 2]] as const) {
    h = block(p, layer, h, stride);
  }
  const features = np.mean(normActivate(p, "f.bn1", h), [2, 3]);
  return np.matmul(features, np.transpose(take(p, "class_output.weight"))).add(take(p, "class_output.bias"));
}

function loss(p: Parameters, x: JaxArray, oneHot: JaxArray): JaxArray {
  return np.sum(nn.logSoftmax(classify(p, x), 1).mul(oneHot)).mul(-1 / batch);
}

/** Σ log p̃. */
function score(x: JaxArray, p: Parameters): JaxArray {
  return np.sum(nn.logsumexp(classify(p, x), 1));
}

if (import.meta.main) {
  await init("webgpu");
  defaultDevice("webgpu");
  const { parameters, adapter } = await initialParameters();
  const { images, labels } = inputs();
  const nchw = imagesToPyTorch({ shape: [batch, 32, 32, 3], data: images });
  const x = np.array(nchw.data as Float32Array<ArrayBuffer>, { shape: [...nchw.shape] });
  const hot = new Float32Array(batch * 10);
  labels.forEach((label, i) => hot[i * 10 + label] = 1);
  const y = np.array(hot, { shape: [batch, 10] });
  const byParameters = jit(valueAndGrad(loss));
  const byImages = jit(valueAndGrad(score));
  const subject = subjectOf(Deno.args);

  let latest: [JaxArray, Parameters] | undefined;
  const dispose = () => {
    if (!latest) return;
    latest[0].dispose();
    for (const gradient of Object.values(latest[1])) gradient.dispose();
  };
  const call = () => {
    dispose();
    const held = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, value.ref]));
    if (subject === "images") {
      const [value, images] = byImages(x.ref, held) as [JaxArray, JaxArray];
      latest = [value, { images }];
    } else {
      latest = byParameters(held, x.ref, y.ref) as [JaxArray, Parameters];
    }
  };
  const times = await timeCalls(call, async () => void await Object.values(latest![1])[0]!.blockUntilReady());
  const norms: Record<string, number> = {};
  for (const [name, gradient] of Object.entries(latest![1])) {
    norms[name] = norm(await gradient.ref.data() as Float32Array);
  }
  const [value] = await latest![0].ref.data();
  const result: GradientResult = { library: "jax-js 0.1.25", adapter, ...times, loss: value!, norms };
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(result)));
  Deno.exit(0);
}
