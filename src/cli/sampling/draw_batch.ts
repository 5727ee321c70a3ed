import { generate, type GenerationOptions } from "../../jem/generate.ts";
import { conditionalScore, unconditionalScore } from "../../jem/score.ts";
import { evaluation, type WideResNet } from "../../nn/wide_resnet.ts";
import { streamWords } from "../../random/philox.ts";
import { logSumExp } from "../../tensor/operations/log_sum_exp.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Checkpoint } from "../../train/checkpoint/checkpoint.ts";
import { ChainFrames, type DrawnBatch } from "./drawn_images.ts";
import type { ReferenceChains } from "../../jem/reference_chains.ts";
import type { LiveLine } from "../live_line.ts";

/** What the chains of a run have in common. */
export interface Chains {
  readonly model: WideResNet;
  readonly checkpoint: Checkpoint;
  /** Class from which each starts. */
  readonly classes: Uint32Array;
  readonly seed: number;
  /** The class that they draw from, if it is one. */
  readonly label: number | undefined;
  readonly steps: number;
  readonly stepSize: number;
  /** Returns where some of them start, `first` being the number before them; the caller owns the images. */
  readonly starts: (classes: Uint32Array, first: number) => Promise<Tensor>;
  /** The reference chains for their statistics; undefined if they take the running ones. */
  readonly reference: ReferenceChains | undefined;
  /** Reports their progress. */
  readonly line: LiveLine;
  /** Called with the step of each batch. */
  readonly prepare: GenerationOptions["prepare"];
}

/** Runs `size` chains from number `first` on. Each ends where it would end if all ran at once. */
export async function drawBatch(
  chains: Chains,
  first: number,
  size: number,
  kept: { readonly images: boolean; readonly frames: boolean },
): Promise<DrawnBatch> {
  const { model, checkpoint: { configuration: { noiseScale } }, classes, seed, label, steps, stepSize } =
    chains;
  const { context } = model;
  using images = await chains.starts(classes.subarray(first, first + size), first);
  const { line } = chains;
  const batch = size < classes.length ? `images ${first + 1} to ${first + size} of ${classes.length}, ` : "";
  const frames = new ChainFrames(kept.frames ? steps : 0, images);
  await frames.take(-1);
  using labels = label === undefined ? undefined : context.from(new Uint32Array(size).fill(label), [size]);
  const { reference, prepare } = chains;
  await generate(
    labels ? conditionalScore(model, labels, reference?.mode) : unconditionalScore(model, reference?.mode),
    images,
    { steps, stepSize, noiseScale, first, reference, prepare },
    (step) => streamWords(seed, step),
    async (step) => {
      line.progress(`${batch}step ${step + 1}/${steps}`);
      await frames.take(step);
    },
  );
  line.clear();
  const assessment = await assess(model, images);
  return { ...assessment, images: kept.images ? [await images.read(), ...frames.all] : [] };
}

/** The model's logits `[N, classes]` and energies `[N]` for the images. */
async function assess(model: WideResNet, images: Tensor): Promise<Omit<DrawnBatch, "images">> {
  const { context } = model;
  using logits = context.scope(() => model.classify(images, evaluation));
  using scores = context.scope(() =>
    model.architecture.unconditional ? model.energyScore(images, evaluation) : logSumExp(logits)
  );
  const [logitValues, scoreValues] = await context.read([logits, scores]);
  return { logits: logitValues!, energies: scoreValues!.map((score) => -score) };
}
