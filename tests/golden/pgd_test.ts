import assert from "node:assert/strict";
import { type Attack, attackBatch, type Defence, PlainDefence } from "../../src/evaluate/attack.ts";
import { type HostTensor, imagesToPyTorch } from "../../src/formats/pytorch/layout.ts";
import { evaluation } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";
import { inputTensor } from "./comparison.ts";
import { GoldenFile, goldenFiles, modelOf } from "./golden_file.ts";
import { Verdicts } from "./verdict.ts";

interface PgdHyper {
  readonly norm: string;
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
    const x = file.tensor("x");
    const model = modelOf(context, file.sibling(file.hyper<PgdHyper>().net).state(""), x.shape[3]!);
    const images = inputTensor(context, x);
    const labels = Uint32Array.from(file.numbers("labels"));
    const attack = attackOf(file);
    const start = startOf(file, x, attack);
    verdicts.compare("x_start", start, "smooth");
    const started = inputTensor(context, start);
    const defence = new PlainDefence(model);
    const shape = images.shape;
    if (verdicts.wants("ims_adv", "defended")) {
      const record = await attackBatch(images, labels, defence, attack, 0, started);
      verdicts.compare("ims_adv", imagesToPyTorch({ shape, data: record.adversarial }), "kinks");
      verdicts.compareFlags("defended", record.defended.flat());
    }
    for (const k of comparedSteps(file)) {
      const after = context.from(await attackedImages(k), shape);
      verdicts.compare(`x_adv_${k}`, imagesToPyTorch({ shape, data: await after.read() }), "kinks");
      const logits = model.classify(after, evaluation);
      verdicts.compare(`logits_${k}`, { shape: logits.shape, data: await logits.read() }, "kinks");
      verdicts.compareFlags(`correct_${k}`, (await defence.evaluate(after, labels)).correct);
    }
    verdicts.conclude();

    /** The images after k steps. Every image counts as unbroken, so the record keeps the last ones. */
    async function attackedImages(k: number) {
      const gullible: Defence = {
        evaluate: async (images, labels) => {
          const { gradient } = await defence.evaluate(images, labels);
          return { correct: new Array<boolean>(labels.length).fill(true), gradient };
        },
      };
      const record = await attackBatch(images, labels, gullible, { ...attack, steps: k }, 0, started);
      return record.adversarial;
    }
  });
}

/** The attack described by the file's metadata, whose lengths are in the units of images in [-1, 1]. */
function attackOf(file: GoldenFile): Attack {
  const { norm, adv_eps, adv_eta, steps } = file.hyper<PgdHyper>();
  const norms: Readonly<Record<string, Attack["norm"]>> = {
    l_inf: "linf",
    linf: "linf",
    l_2: "l2",
    l2: "l2",
  };
  const known = norms[String(norm).toLowerCase()];
  assert(known, `${file.name}: its metadata name the norm ${norm}, which is neither l_inf nor l_2`);
  return { norm: known, radius: adv_eps / 2, stepSize: adv_eta / 2, steps, restarts: 1, seed: 0 };
}

/** Where the attack starts. In L∞, the file's uniform numbers determine the start. Otherwise the file contains it. */
function startOf(file: GoldenFile, { shape, data }: HostTensor, { norm, radius }: Attack): HostTensor {
  if (norm !== "linf" || !file.has("start_uniform")) return file.tensor("x_start");
  const uniform = file.tensor("start_uniform").data;
  const width = Math.fround(2 * radius);
  return {
    shape,
    data: data.map((value, i) => Math.min(1, Math.max(-1, value + width * (2 * uniform[i]! - 1)))),
  };
}

/** The numbers of steps after which the file has a result. */
function comparedSteps({ names }: GoldenFile): number[] {
  const steps = names.map((name) => /^(?:x_adv|logits|correct)_(\d+)$/.exec(name)?.[1]);
  return [...new Set(steps.filter((step) => step !== undefined).map(Number))].sort((a, b) => a - b);
}
