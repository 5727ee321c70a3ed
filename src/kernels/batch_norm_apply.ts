import wgsl from "../../shaders/batch_norm_apply.wgsl" with { type: "text" };
import type { BatchNormShape } from "./batch_norm_moments.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A batch norm followed by a LeakyReLU. */
export interface BatchNormActivationShape extends BatchNormShape {
  /** Slope of the LeakyReLU below zero; 1 for none. */
  readonly slope: number;
}

/** Rows that an invocation of the applying shaders goes through, as they define it. */
export const rowsPerInvocation = 8;

/** Normalisation, scale, shift and LeakyReLU in one pass, `[rows, C]` → `[rows, C]`. */
export const batchNormApply: Kernel<
  BatchNormActivationShape,
  "input" | "statistics" | "scale" | "shift" | "output"
> = {
  name: "batch_norm_apply",
  wgsl,
  bindings: [
    { name: "input", access: "read", bytes: ({ rows, channels }) => bytes32(rows * channels) },
    { name: "statistics", access: "read", bytes: ({ channels }) => bytes32(2 * channels) },
    { name: "scale", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "shift", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "output", access: "read-write", bytes: ({ rows, channels }) => bytes32(rows * channels) },
  ],
  constants: ({ channels, slope }) => ({ channels, slope }),
  workgroups: ({ rows, channels }) => foldWorkgroups(Math.ceil(rows / rowsPerInvocation) * channels / 4),
};
