import wgsl from "../../../shaders/chains/informative_sample.wgsl" with { type: "text" };
import { classConstants, type ClassShape, imageBytes, memberBytes } from "./class_means.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** A batch of samples from the classes' Gaussians. */
export interface InformativeSampleShape extends ClassShape {
  readonly batch: number;
  /** Whether samples are clamped to [−1, 1]. */
  readonly clamp: boolean;
}

/**
 * Samples of N(μ_c, Σ_c + 1e-4·I) without forming Σ_c (JEM++'s informative initialisation), from given standard normal
 * values, one buffer of the data set after another.
 * @throws {RangeError} if the buffer holds more than 65,535 images.
 * @cost A multiply-add and a byte read for each pixel of each image of the sample’s class. An invocation computes one
 *   pixel of one sample.
 * @example
 * ```ts
 * import { informativeSample, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   classes: 1,
 *   pixels: 4,
 *   count: 2,
 *   listed: 2,
 *   maximumCount: 2,
 *   maximum: 255,
 *   first: true,
 *   last: true,
 *   batch: 1,
 *   clamp: true,
 * };
 * const { samples } = await run(informativeSample, shape, {
 *   bytes: Uint32Array.of(0x00000000, 0xffffffff), // a black and a white image
 *   members: Uint32Array.of(4, 2, 0, 2, 0, 1),
 *   means: [0, 0, 0, 0],
 *   sampleClasses: Uint32Array.of(0),
 *   weights: [-0.5, 0],
 *   noise: [0, 0, 0, 0],
 *   samples: 4,
 * });
 * // Half the black image's deviation of −1 from the mean the other way, divided by √2.
 * for (const sample of samples) assert.ok(Math.abs(sample - 0.5 / Math.SQRT2) < 1e-5);
 * ```
 */
export const informativeSample: Kernel<
  InformativeSampleShape,
  "bytes" | "members" | "means" | "sampleClasses" | "weights" | "noise" | "samples"
> = {
  name: "informative_sample",
  wgsl,
  bindings: [
    { name: "bytes", access: "read", bytes: imageBytes },
    { name: "members", access: "read", bytes: memberBytes },
    { name: "means", access: "read", bytes: ({ classes, pixels }) => bytes32(classes * pixels) },
    { name: "sampleClasses", access: "read", bytes: ({ batch }) => bytes32(batch) },
    { name: "weights", access: "read", bytes: ({ batch, maximumCount }) => bytes32(batch * maximumCount) },
    { name: "noise", access: "read", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
    { name: "samples", access: "read-write", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
  ],
  constants: (shape) => {
    const { batch, maximumCount, clamp } = shape;
    return { ...classConstants(shape), batch, maximumCount, clampSamples: Number(clamp) };
  },
  uniforms: { batch: "u32", first: "u32", last: "u32" },
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};
