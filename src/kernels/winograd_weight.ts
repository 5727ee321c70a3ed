import wgsl from "../../shaders/winograd_weight.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";
import { winogradEntryPoint, type WinogradOutputs, winogradValues } from "./winograd_shape.ts";

/** Weights `[3, 3, inChannels, outChannels]` to transform for Winograd's convolution. */
export interface WinogradWeightShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly outputs: WinogradOutputs;
  /** For the gradient by the input: the taps rotated by 180°, in and out channels swapped. */
  readonly rotated: boolean;
}

/**
 * Weights transformed for Winograd's convolution F(m×m, 3×3): `[3, 3, in, out]` → `[(m + 2)², out, in]`, or
 * `[(m + 2)², in, out]` for the gradient by the input; G · g · Gᵀ of each 3×3 filter g.
 * @cost 9 values read and (m + 2)² written a pair of channels, with 84 multiply-adds for m = 2 and 162 for m = 4.
 * @example
 * ```ts
 * import { run, winogradWeight } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { inChannels: 1, outChannels: 1, outputs: 2, rotated: false } as const;
 * const { transformed } = await run(winogradWeight, shape, {
 *   weight: [0, 0, 0, 0, 4, 0, 0, 0, 0], // passes an image on, times 4
 *   transformed: 16,
 * });
 * assert.deepEqual([...transformed], [0, 0, 0, 0, 0, 1, -1, 0, 0, -1, 1, 0, 0, 0, 0, 0]);
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
  constants: ({ inChannels, outChannels, rotated }) => ({
    inChannels,
    outChannels,
    rotated: Number(rotated),
  }),
  workgroups: ({ inChannels, outChannels }) => foldWorkgroups(inChannels * outChannels),
};
