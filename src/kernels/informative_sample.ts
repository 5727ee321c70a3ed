import wgsl from "../../shaders/informative_sample.wgsl" with { type: "text" };
import { classConstants, type ClassShape, imageBytes, memberBytes } from "./class_means.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A batch of samples from the classes' Gaussians. */
export interface InformativeSampleShape extends ClassShape {
  readonly batch: number;
  /** Whether samples are clamped to [−1, 1]. */
  readonly clamp: boolean;
}

/**
 * Samples of N(μ_c, Σ_c + 1e-4·I) without Σ_c (JEM++'s informative initialisation), from given standard normal values,
 * buffer by buffer of the data set.
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
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};
