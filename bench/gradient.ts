/** Times a gradient of WRN-10-1 at 3×32×32, batch 64, on this project; prints JSON. */

import { Gpu } from "../src/gpu/gpu.ts";
import { splitVector } from "../src/nn/state_dict.ts";
import { frozenTraining, WideResNet } from "../src/nn/wide_resnet.ts";
import { Context } from "../src/tensor/context.ts";
import { mean, sum } from "../src/tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../src/tensor/operations/softmax_cross_entropy.ts";
import { architecture, batch, inputs, norm, seed, subjectOf, timeCalls } from "./gradient_case.ts";

/** What each library reports. */
export interface GradientResult {
  readonly library: string;
  readonly adapter: string;
  /** Milliseconds of a call, one wait for several calls. */
  readonly median: number;
  /** Milliseconds of the first call, which compiles. */
  readonly first: number;
  /** The mean cross-entropy, or Σ log p̃. */
  readonly loss: number;
  /** ‖gradient‖ by parameter, official names; or by `images`. */
  readonly norms: Readonly<Record<string, number>>;
}

if (import.meta.main) {
  const gpu = await Gpu.request();
  const context = new Context(gpu);
  const model = new WideResNet(context, architecture, seed);
  const { images, labels } = inputs();
  const x = context.from(images, [batch, 32, 32, 3]);
  const y = context.from(labels, [batch]);
  const { parameters } = model;
  const loss = context.zeros([1]);
  const byImages = context.zeros(x.shape);
  const subject = subjectOf(Deno.args);
  const plan = context.capture(() => {
    parameters.gradients.clear();
    const { value, gradients } = subject === "images"
      ? context.differentiate({ inputs: [x] }, () => sum(model.energyScore(x, frozenTraining)))
      : context.differentiate(
        { parameters: parameters.trainable },
        () => mean(softmaxCrossEntropy(model.classify(x, frozenTraining), y).losses),
      );
    loss.copyFrom(value);
    if (gradients[0]) byImages.copyFrom(gradients[0]);
  });
  const times = await timeCalls(() => gpu.run(plan), async () => void await loss.read());
  const gradients = subject === "images"
    ? new Map([["images", { data: await byImages.read() }]])
    : splitVector(parameters, await parameters.gradients.read());
  const result: GradientResult = {
    library: "sada-jem",
    adapter: gpu.adapterName,
    ...times,
    loss: (await loss.read())[0]!,
    norms: Object.fromEntries([...gradients].map(([name, { data }]) => [name, norm(data)])),
  };
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(result)));
  Deno.exit(0);
}
