import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { concatenate, rows } from "../tensor/operations/rows.ts";
import { elementBytes } from "../tensor/element_type.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { largestActivation, type WideResNet } from "./wide_resnet.ts";

/**
 * Bytes of the largest activation up to which batches are joined: what any WebGPU device can bind, and read through a
 * texture. Launches that are larger still keep a device busy by themselves, so that joining them gains nothing and costs
 * memory.
 */
const largestJoined = 128 * 2 ** 20;

/**
 * Pooled features of several batches, each with batch statistics of its own, as if they went through the network one
 * after the other. Batches of equal size go through it together, unless their activations would be too large: nothing
 * but batch norm sees where one ends, and there are fewer launches.
 * @param mode of each batch
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

/** Whether {@link featuresOfBatches} lets batches of these sizes go through a network together. */
export function canBeJoined(
  { architecture, activations }: Pick<WideResNet, "architecture" | "activations">,
  sizes: readonly number[],
): boolean {
  const [first = 0] = sizes;
  const bytes = elementBytes(activations) * sizes.length * first * largestActivation(architecture);
  return sizes.length > 1 && sizes.every((size) => size === first) && bytes <= largestJoined;
}
