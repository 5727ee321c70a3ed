import wgsl from "../../shaders/informative_sample.wgsl" with { type: "text" };
import { type ClassShape, requireClassSize } from "./class_means.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A batch of samples from the classes' Gaussians. */
export interface InformativeSampleShape extends ClassShape {
  readonly batch: number;
  /** Whether samples are clamped to [−1, 1]. */
  readonly clamp: boolean;
}

/** Samples of N(μ_c, Σ_c + 1e-4·I) without Σ_c (JEM++'s informative initialisation), from given standard normal values. */
export const informativeSample: Kernel<
  InformativeSampleShape,
  "bytes" | "members" | "means" | "sampleClasses" | "weights" | "noise" | "samples"
> = {
  name: "informative_sample",
  wgsl,
  bindings: [
    { name: "bytes", access: "read", bytes: ({ count, pixels }) => bytes32(Math.ceil(count * pixels / 4)) },
    { name: "members", access: "read", bytes: ({ classes, count }) => bytes32(2 * classes + count) },
    { name: "means", access: "read", bytes: ({ classes, pixels }) => bytes32(classes * pixels) },
    { name: "sampleClasses", access: "read", bytes: ({ batch }) => bytes32(batch) },
    { name: "weights", access: "read", bytes: ({ batch, maximumCount }) => bytes32(batch * maximumCount) },
    { name: "noise", access: "read", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
    { name: "samples", access: "read-write", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
  ],
  constants: ({ batch, pixels, classes, maximum, maximumCount, clamp }) => {
    requireClassSize(maximumCount);
    return { batch, pixels, classes, maximum, maximumCount, clampSamples: Number(clamp) };
  },
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};
