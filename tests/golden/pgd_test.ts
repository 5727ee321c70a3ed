import assert from "node:assert/strict";
import { attackBatch, PlainDefence } from "../../src/evaluate/attack.ts";
import { imagesToPyTorch } from "../../src/formats/pytorch_layout.ts";
import { evaluation } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";
import { inputTensor } from "./comparison.ts";
import { GoldenFile, goldenFiles, modelOf } from "./golden_file.ts";
import { Verdicts } from "./verdict.ts";

interface PgdHyper {
  readonly net: string;
  readonly steps: number;
  readonly adv_eps: number;
  readonly adv_eta: number;
}

for (const path of goldenFiles(/^pgd_.*\.safetensors$/)) {
  Deno.test(`golden PGD attack: ${path.split("/").at(-1)}`, async () => {
    const file = new GoldenFile(path);
    const verdicts = new Verdicts(file);
    const context = new Context(await testGpu());
    const { net, steps, adv_eps, adv_eta } = file.hyper<PgdHyper>();
    const x = file.tensor("x");
    const model = modelOf(context, file.sibling(net).state(""), x.shape[3]!);
    const images = inputTensor(context, x);
    const labels = Uint32Array.from(file.numbers("labels"));
    const attack = {
      norm: "linf" as const,
      radius: adv_eps / 2,
      stepSize: adv_eta / 2,
      steps,
      restarts: 1,
      seed: 0,
    };

    const uniform = file.tensor("start_uniform").data;
    const radius = Math.fround(adv_eps);
    const start = x.data.map((value, i) => Math.min(1, Math.max(-1, value + radius * (2 * uniform[i]! - 1))));
    verdicts.compare("x_start", { shape: x.shape, data: start }, "smooth");
    const started = inputTensor(context, { shape: x.shape, data: start });
    const defence = new PlainDefence(model);
    const record = await attackBatch(images, labels, defence, attack, 0, started);
    const shape = images.shape;
    verdicts.compare("ims_adv", imagesToPyTorch({ shape, data: record.adversarial }), "kinks");
    const expected = [...file.numbers("defended")].map(Boolean);
    assert.deepEqual(record.defended.flat(), expected, "which images are unbroken after each step");

    for (const k of [1, 5, 10]) {
      const after = await attackedImages(k);
      verdicts.compare(`x_adv_${k}`, imagesToPyTorch({ shape, data: await after.read() }), "kinks");
      if (k !== 10) continue;
      const logits = model.classify(after, evaluation);
      verdicts.compare("logits_10", { shape: logits.shape, data: await logits.read() }, "kinks");
      const { correct } = await defence.evaluate(after, labels);
      assert.deepEqual(correct, [...file.numbers("correct_10")].map(Boolean));
    }
    verdicts.conclude();

    /** The images after k steps: with every image counted as unbroken, the record keeps the last ones. */
    async function attackedImages(k: number) {
      const gullible = {
        evaluate: async (images: typeof started, labels: Uint32Array) => {
          const { gradient } = await defence.evaluate(images, labels);
          return { correct: new Array<boolean>(labels.length).fill(true), gradient };
        },
      };
      const { adversarial } = await attackBatch(
        images,
        labels,
        gullible,
        { ...attack, steps: k },
        0,
        started,
      );
      return context.from(adversarial, shape);
    }
  });
}
