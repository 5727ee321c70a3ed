import wgsl from "../../../shaders/chains/gaussian_sample.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** A batch of samples from Gaussians of classes. */
export interface GaussianSampleShape {
  readonly batch: number;
  readonly classes: number;
  /** Values of an image. */
  readonly pixels: number;
  /** Columns of a class's factor. */
  readonly rank: number;
}

/**
 * Samples of N(μ_c, F_c·F_cᵀ + 1e-4·I), clamped to [−1, 1], from given standard normal values: informative
 * initialisation from a factor of each class's covariance instead of from its images.
 * @cost `rank` multiply-adds for each pixel of each sample. An invocation computes one pixel of one sample.
 * @example
 * ```ts
 * import { gaussianSample, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { samples } = await run(gaussianSample, { batch: 1, classes: 2, pixels: 2, rank: 1 }, {
 *   means: [0, 0, 0.5, -0.5],
 *   factors: [1, 1, 0.25, 0.5],
 *   sampleClasses: Uint32Array.of(1),
 *   weights: [-1],
 *   noise: [0, 0],
 *   samples: 2,
 * });
 * assert.deepEqual([...samples], [0.25, -1]);
 * ```
 */
export const gaussianSample: Kernel<
  GaussianSampleShape,
  "means" | "factors" | "sampleClasses" | "weights" | "noise" | "samples"
> = {
  name: "gaussian_sample",
  wgsl,
  bindings: [
    { name: "means", access: "read", bytes: ({ classes, pixels }) => bytes32(classes * pixels) },
    {
      name: "factors",
      access: "read",
      bytes: ({ classes, pixels, rank }) => bytes32(classes * rank * pixels),
    },
    { name: "sampleClasses", access: "read", bytes: ({ batch }) => bytes32(batch) },
    { name: "weights", access: "read", bytes: ({ batch, rank }) => bytes32(batch * rank) },
    { name: "noise", access: "read", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
    { name: "samples", access: "read-write", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
  ],
  constants: ({ classes, pixels, rank }) => ({ classes, pixels, rank }),
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};
