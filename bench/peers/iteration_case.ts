/**
 * Whole iterations of SADA-JEM, beside PyTorch's. Both start from the same parameters, x_p, x_l, labels and starts of
 * the chains, and compute the same: K = 5 steps of SGLD, ascent, return and descent. With the published batches that is
 * 832 forward passes of an image, 512 full backward passes and 320 with respect to the images alone (WRN-10-1 has 64
 * labelled images instead of 128: 704, 384 and 320). The reports of the very first iteration are compared: losses and
 * scores of both passes, and the norm of SAM's gradient. Parameters after the descent are not, because the first
 * learning rate of the warm-up is 0.
 *
 * Preparing the batches is not compared, to PyTorch's advantage. This project draws, crops and flips its images, starts
 * chains from its replay buffer or afresh, and stores their ends within the iteration, while PyTorch takes the first
 * iteration's batches and starts again and again. So later iterations see other images. Neither reads results back
 * while iterations are timed; the host waits once for as many iterations as a tenth of a second takes.
 */

import { type ReportField, reportFields } from "../../src/jem/training_step.ts";
import type { Context } from "../../src/tensor/context.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import type { Run } from "../lib/iteration_case.ts";
import type { Times } from "../lib/timing.ts";
import { architectureOf, operationsPerImage } from "./gradient_case.ts";

/** What all libraries report of the first iteration. Accuracy is left out. */
const reported = reportFields.filter((field) => field !== "accuracy");

type Report = Readonly<Record<typeof reported[number], number>>;

/** The result of an iteration on one library. */
export interface IterationTimes extends Times {
  readonly report: Report;
}

/** A report from its fields. */
export function reportOf(value: (field: ReportField) => number | undefined): Report {
  return Object.fromEntries(reported.map((field) => {
    const found = value(field);
    if (found === undefined || !Number.isFinite(found)) {
      throw new Error(`the iteration reports ${field} ${found}`);
    }
    return [field, found] as const;
  })) as Report;
}

/** Largest relative difference between two libraries' reports. */
export function reportDifference({ report: one }: IterationTimes, { report: other }: IterationTimes): number {
  return Math.max(...reported.map((field) => Math.abs(one[field] - other[field]) / Math.abs(other[field])));
}

/** Floating-point operations of an iteration's convolutions and linear layers. */
export function iterationOperations({ configuration }: Pick<Run, "configuration">): number {
  const { steps, likelihoodBatch, labelledBatch } = configuration;
  const { images, parameters } = operationsPerImage(architectureOf(configuration));
  return steps * likelihoodBatch * images + 2 * (2 * likelihoodBatch + labelledBatch) * parameters;
}

/** x_p, x_l and the starts of the chains of a trainer's first iteration, `[N, H, W, C]`. */
export function firstBatches(
  context: Context,
  trainer: Trainer,
  { dataset: { augmentation } }: Run,
): Record<"real" | "labelled" | "start", Tensor> {
  const inputs = trainer.inputsOf(0);
  const upload = (words: Uint32Array) => context.from(words, [words.length]);
  const { buffer, initialisation } = trainer.sampler!;
  const crop = { padding: augmentation.padding, crops: upload(inputs.labelledCrops) };
  const fresh = initialisation.fresh(upload(inputs.stream), upload(inputs.freshClasses));
  return {
    real: trainer.images.expand(upload(inputs.likelihoodIndices)),
    labelled: trainer.images.expand(upload(inputs.labelledIndices), crop),
    start: buffer.start(upload(inputs.draws), fresh),
  };
}
