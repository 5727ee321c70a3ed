import type { Gpu } from "../../src/gpu/gpu.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { Trainer } from "../../src/train/trainer.ts";

/** The uses of GPU memory in training. */
export type MemoryPart =
  | "parameters"
  | "gradients"
  | "optimiser's state"
  | "parameters before SAM's ascent"
  | "replay buffer"
  | "training images"
  | "other tensors"
  | "kept for reuse"
  | "iteration's buffers"
  | "iteration's textures";

const bytesOf = (tensors: readonly (Pick<Tensor, "size"> | undefined)[]) =>
  tensors.reduce((sum, tensor) => sum + 4 * (tensor?.size ?? 0), 0);

/**
 * Bytes of GPU memory by use. Their sum is the peak, because a recorded iteration always holds all of its memory: the
 * most that its tensors take at once, in size classes. Other tensors are running statistics, class means, inputs,
 * reports, and what rounding up to size classes adds outside the iteration. Memory that filling the replay buffer
 * borrowed is kept for reuse.
 */
export function memoryParts(gpu: Gpu, trainer: Trainer): Record<MemoryPart, number> {
  const { model: { parameters }, optimizer, sharpnessAware, sampler, images } = trainer;
  const { pool, textures } = trainer.plan!;
  const named = {
    "parameters": bytesOf([parameters.values]),
    "gradients": bytesOf([parameters.gradients]),
    "optimiser's state": bytesOf(Object.values(optimizer.state)),
    "parameters before SAM's ascent": bytesOf([sharpnessAware.saved]),
    "replay buffer": bytesOf([sampler?.buffer.images]),
    "training images": bytesOf(images.buffers.map(({ bytes }) => bytes)),
  };
  return {
    ...named,
    "other tensors": gpu.pool.liveBytes - Object.values(named).reduce((sum, bytes) => sum + bytes, 0),
    "kept for reuse": gpu.bytes - gpu.pool.liveBytes,
    "iteration's buffers": pool.totalBytes,
    "iteration's textures": textures.totalBytes,
  };
}
