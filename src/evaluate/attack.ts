/** Projected gradient descent against the classifier (Madry et al., ICLR 2018), as in the official evaluation. */

import type { DeviceImages } from "../data/device_images.ts";
import { type BatchOptions, inBatches } from "../distributed/batches.ts";
import { pgdStepL2, pgdStepLinf } from "../kernels/attack/pgd_step.ts";
import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";
import { Purpose, RandomStream } from "../random/philox.ts";
import { sum } from "../tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../tensor/operations/softmax_cross_entropy.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { batchSize } from "./features.ts";

/** An attack. Lengths are in the units of images in [0, 1], as in papers, so 8/255 is a radius. */
export interface Attack {
  readonly norm: "linf" | "l2";
  readonly radius: number;
  readonly stepSize: number;
  readonly steps: number;
  /** Attempts from different random starts; an image counts as broken if one of them breaks it. */
  readonly restarts: number;
  readonly seed: number;
}

/** The outcome for the images. */
export interface AttackRecord {
  /**
   * Share of the images that are still classified correctly: first the clean images, then after the random start and
   * each step. A broken image stays broken, and later restarts only try unbroken ones.
   */
  readonly accuracies: readonly number[];
  /** Whether each image withstood the whole attack. */
  readonly defended: readonly boolean[];
  /**
   * For each image the first one that broke it, or the last attempt, `[N, H, W, C]` in [−1, 1]; the clean image if that
   * was wrong already.
   */
  readonly adversarial: Float32Array<ArrayBuffer>;
}

/** A defence's answer for images: which are classified correctly, and in which direction their loss grows. */
export interface Defence {
  /**
   * @param images `[N, H, W, C]`
   * @param labels label of each
   * @returns whether each is classified correctly, and the gradient of the loss; the caller owns it
   */
  evaluate(images: Tensor, labels: Uint32Array): Promise<{ correct: boolean[]; gradient: Tensor }>;
}

/** The classifier with the running statistics, without purification. */
export class PlainDefence implements Defence {
  constructor(readonly model: WideResNet) {}

  async evaluate(images: Tensor, labels: Uint32Array): Promise<{ correct: boolean[]; gradient: Tensor }> {
    const { context } = this.model;
    using targets = context.from(labels, [labels.length]);
    let right: Tensor | undefined;
    const { value, gradients } = context.differentiate({ inputs: [images] }, () => {
      const { losses, correct } = softmaxCrossEntropy(this.model.classify(images, evaluation), targets);
      right = correct;
      return sum(losses);
    });
    value.dispose();
    const flags = await right!.read();
    right!.dispose();
    return { correct: Array.from(flags, (flag) => flag === 1), gradient: gradients[0]! };
  }
}

/** From the units of images in [0, 1] to those in [−1, 1]. */
const scale = 2;

/**
 * Attacks images of a set.
 * @param indices which images, in the order of the record, at least one; the position decides an image's random starts
 * @param defenceOf the defence of the batch that begins at a position
 * @param options its progress is called with the number of images done
 */
export async function attackImages(
  images: DeviceImages,
  indices: Uint32Array,
  defenceOf: (first: number) => Defence,
  attack: Attack,
  options?: BatchOptions,
): Promise<AttackRecord> {
  const total = indices.length;
  const [withstood, adversarial] = await inBatches(total, batchSize, async (start, size) => {
    const chosen = indices.subarray(start, start + size);
    using batch = images.at(chosen);
    const labels = chosen.map((index) => images.labels[index]!);
    const { defended, adversarial } = await attackBatch(batch, labels, defenceOf(start), attack, start);
    const withstood = Float32Array.from(labels, (_, row) => defended.filter((flags) => flags[row]).length);
    return [withstood, adversarial];
  }, options);
  // An image is unbroken in the first records of the attack, as many as it withstood.
  const accuracies = Array.from({ length: attack.steps + 2 }, (_, k) => {
    return withstood.reduce((unbroken, records) => unbroken + Number(records > k), 0) / total;
  });
  const defended = Array.from(withstood, (records) => records === attack.steps + 2);
  return { accuracies, defended, adversarial };
}

/** The outcome for one batch: which images are unbroken, for the clean images, the start and each step. */
export interface BatchRecord {
  readonly defended: readonly (readonly boolean[])[];
  readonly adversarial: Float32Array<ArrayBuffer>;
}

/**
 * Attacks a batch `[N, H, W, C]`.
 * @param first keeps the random starts of batches apart
 * @param start given starts instead of random ones
 */
export async function attackBatch(
  images: Tensor,
  labels: Uint32Array,
  defence: Defence,
  attack: Attack,
  first: number,
  start?: Tensor,
): Promise<BatchRecord> {
  const clean = await defence.evaluate(images, labels);
  clean.gradient.dispose();
  const defended = [clean.correct, ...Array.from({ length: attack.steps + 1 }, () => [...clean.correct])];
  const adversarial = await images.read();
  for (let restart = 0; restart < attack.restarts; restart++) {
    const from = start ?? await randomStart(images, attack, first, restart);
    await climb(images, from, labels, defence, attack, defended, adversarial);
    if (from !== start) from.dispose();
  }
  return { defended, adversarial };
}

/** One attempt. It clears the flags of what it breaks, and keeps the images that did. Only unbroken images climb on. */
async function climb(
  originals: Tensor,
  start: Tensor,
  labels: Uint32Array,
  defence: Defence,
  attack: Attack,
  defended: boolean[][],
  adversarial: Float32Array,
): Promise<void> {
  const { steps } = attack;
  let rows = [...labels.keys()].filter((row) => defended.at(-1)![row]);
  if (rows.length === 0) return;
  let [clean, current] = [await selected(originals, rows), await selected(start, rows)];
  for (let step = 0; step <= steps; step++) {
    const { correct, gradient } = await defence.evaluate(
      current,
      Uint32Array.from(rows, (row) => labels[row]!),
    );
    const isLast = step === steps;
    if (isLast || correct.includes(false)) {
      const values = await current.read();
      const pixels = values.length / rows.length;
      rows.forEach((row, k) => {
        if (correct[k] && !isLast) return;
        adversarial.set(values.subarray(k * pixels, (k + 1) * pixels), row * pixels);
        if (!correct[k]) defended.slice(step + 1).forEach((flags) => flags[row] = false);
      });
    }
    const next = isLast ? current : attackStep(current, gradient, clean, attack);
    if (next !== current) current.dispose();
    gradient.dispose();
    current = next;
    const standing = [...correct.keys()].filter((k) => correct[k]);
    if (isLast || standing.length === 0) break;
    if (standing.length === rows.length) continue;
    const [all, allClean] = [current, clean];
    [clean, current] = [await selected(allClean, standing), await selected(all, standing)];
    for (const tensor of [all, allClean]) tensor.dispose();
    rows = standing.map((k) => rows[k]!);
  }
  for (const tensor of [clean, current]) tensor.dispose();
}

/** Some images of a batch, as their own batch. */
async function selected(images: Tensor, rows: readonly number[]): Promise<Tensor> {
  const values = await images.read();
  const pixels = values.length / images.shape[0]!;
  const chosen = new Float32Array(rows.length * pixels);
  rows.forEach((row, k) => chosen.set(values.subarray(row * pixels, (row + 1) * pixels), k * pixels));
  return images.context.from(chosen, [rows.length, ...images.shape.slice(1)]);
}

/**
 * One step of the attack: up the gradient of the loss, then back into the ball around the originals and into [−1, 1].
 * @param current, gradient, originals `[N, H, W, C]`
 */
export function attackStep(
  current: Tensor,
  gradient: Tensor,
  originals: Tensor,
  { norm, stepSize, radius }: Pick<Attack, "norm" | "stepSize" | "radius">,
): Tensor {
  const { context, shape: [batch = 0] } = originals;
  const next = context.empty(originals.shape);
  const shape = {
    batch,
    pixels: originals.size / batch,
    stepSize: scale * stepSize,
    radius: scale * radius,
  };
  const kernel = norm === "linf" ? pgdStepLinf : pgdStepL2;
  context.launch(kernel, shape, { image: current, gradient, original: originals, next });
  return next;
}

/** A start drawn uniformly in the L∞ ball, or in a random direction at a uniform distance in the L2 ball. */
async function randomStart(images: Tensor, attack: Attack, first: number, restart: number): Promise<Tensor> {
  const values = await images.read();
  const batch = images.shape[0]!;
  const pixels = values.length / batch;
  const radius = scale * attack.radius;
  for (let i = 0; i < batch; i++) {
    const stream = new RandomStream(
      attack.seed,
      Purpose.attackStart,
      (first + i) * attack.restarts + restart,
    );
    const row = values.subarray(i * pixels, (i + 1) * pixels);
    if (attack.norm === "linf") {
      row.forEach((value, p) => row[p] = clamped(value + radius * (2 * stream.uniform(p) - 1)));
    } else {
      const direction = Float64Array.from(row, (_, p) => stream.normal(p));
      const length = Math.hypot(...direction) || 1;
      const distance = radius * stream.uniform(2 * pixels);
      row.forEach((value, p) => row[p] = clamped(value + distance * direction[p]! / length));
    }
  }
  return images.context.from(values, images.shape);
}

function clamped(value: number): number {
  return Math.min(1, Math.max(-1, value));
}
