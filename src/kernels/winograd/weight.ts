import wgsl from "../../../shaders/winograd/weight.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";
import { requireFourChannels, winogradEntryPoint, type WinogradOutputs, winogradValues } from "./shape.ts";

/** Weights `[3, 3, inChannels, outChannels]` to transform for Winograd's convolution. */
export interface WinogradWeightShape {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Outputs m along each side of a tile. */
  readonly outputs: WinogradOutputs;
  /** For the gradient with respect to the input: the taps rotated by 180°, input and output channels swapped. */
  readonly rotated: boolean;
}

/**
 * Weights transformed for Winograd's convolution F(m×m, 3×3): `[3, 3, in, out]` → `[(m + 2)², out, in]`, or `[(m + 2)²,
 * in, out]` for the gradient with respect to the input; G · g · Gᵀ of each 3×3 filter g.
 * @throws {RangeError} unless the channels are multiples of 4.
 * @cost 9 values read and (m + 2)² written for a pair of channels. An invocation takes 4 source channels of a result
 *   channel.
 * @example
 * ```ts
 * import { run, winogradWeight } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { inChannels: 4, outChannels: 4, outputs: 2, rotated: false } as const;
 * const { transformed } = await run(winogradWeight, shape, {
 *   weight: Array(9 * 4 * 4).fill(1),
 *   transformed: 16 * 4 * 4,
 * });
 * // Of each filter, and so of the first: the corner's tap, and in the second row three taps, halved, summed over three rows.
 * assert.equal(transformed[0], 1);
 * assert.equal(transformed[5 * 16], 2.25);
 * ```
 */
export const winogradWeight: Kernel<WinogradWeightShape, "weight" | "transformed"> = {
  name: "winograd_weight",
  wgsl,
  entryPoint: winogradEntryPoint,
  bindings: [
    {
      name: "weight",
      access: "read",
      bytes: ({ inChannels, outChannels }) => bytes32(9 * inChannels * outChannels),
    },
    {
      name: "transformed",
      access: "read-write",
      bytes: ({ inChannels, outChannels, outputs }) =>
        bytes32(winogradValues(outputs) * inChannels * outChannels),
    },
  ],
  constants: ({ inChannels, outChannels, rotated }) => {
    requireFourChannels(inChannels);
    requireFourChannels(outChannels);
    return { inChannels, outChannels, rotated: Number(rotated) };
  },
  workgroups: ({ inChannels, outChannels }) => foldWorkgroups(inChannels * outChannels / 4),
};
