import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { concatenate, rows } from "../tensor/operations/rows.ts";
import { elementBytes } from "../tensor/element_type.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { largestActivation, type WideResNet } from "./wide_resnet.ts";

/**
 * Batches are joined while their largest activation has at most this many bytes: what any WebGPU device can bind, and
 * read through a texture. Larger launches keep a device busy by themselves, so joining them gains nothing and costs
 * memory.
 */
const largestJoined = 128 * 2 ** 20;

/**
 * Pooled features of several batches, each with its own batch statistics, as if they went through the network one after
 * the other. Batches of equal size go through it together, unless their activations would be too large. Only batch norm
 * sees where one batch ends, and there are fewer launches.
 * @param mode the mode of each batch
 */
export function featuresOfBatches(model: WideResNet, batches: readonly Tensor[], mode: NormMode): Tensor[] {
  if (!canBeJoined(model, batches.map(({ shape }) => shape[0]!))) {
    return batches.map((batch) => model.features(batch, mode));
  }
  using images = concatenate(batches);
  using features = model.features(images, { ...mode, segments: batches.length });
  const size = batches[0]!.shape[0]!;
  return batches.map((_, i) => rows(features, i * size, size));
}

/** Whether {@link featuresOfBatches} sends batches of these sizes through a network together. */
export function canBeJoined(
  { architecture, activations }: Pick<WideResNet, "architecture" | "activations">,
  sizes: readonly number[],
): boolean {
  const [first = 0] = sizes;
  const bytes = elementBytes(activations) * sizes.length * first * largestActivation(architecture);
  return sizes.length > 1 && sizes.every((size) => size === first) && bytes <= largestJoined;
}
