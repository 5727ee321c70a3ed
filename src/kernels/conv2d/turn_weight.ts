import wgsl from "../../../shaders/conv2d/turn_weight.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "../kernel.ts";

/** Weights `[kernel, kernel, inChannels, outChannels]` of a convolution. */
export interface Conv2dWeightShape {
  readonly kernel: number;
  readonly inChannels: number;
  readonly outChannels: number;
}

function bytes({ kernel, inChannels, outChannels }: Conv2dWeightShape): number {
  return bytes32(kernel ** 2 * inChannels * outChannels);
}

/**
 * Weights with which `conv2dPatch` computes a gradient with respect to the input: taps in reverse order, input and
 * output channels swapped, `[kernel, kernel, outChannels, inChannels]`. The weights are read through a texture: for
 * lavapipe.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost One value read and written for each weight. An invocation takes 4 input × 4 output channels of a tap.
 * @example
 * ```ts
 * import { conv2dTurnWeight, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { kernel: 1, inChannels: 4, outChannels: 4 };
 * const weight = Array.from({ length: 16 }, (_, i) => i);
 * const { turned } = await run(conv2dTurnWeight, shape, { weight, turned: 16 });
 * assert.deepEqual([...turned.slice(0, 4)], [0, 4, 8, 12]);
 * ```
 */
export const conv2dTurnWeight: Kernel<Conv2dWeightShape, "weight" | "turned"> = {
  name: "conv2d_turn_weight",
  wgsl,
  bindings: [
    { name: "weight", access: "texture", bytes },
    { name: "turned", access: "read-write", bytes },
  ],
  constants: ({ kernel, inChannels, outChannels }) => {
    requireShape(
      (kernel === 1 || kernel === 3) && inChannels % 4 === 0 && outChannels % 4 === 0,
      "conv2d_turn_weight",
      `kernel ${kernel}, ${inChannels} input and ${outChannels} output channels`,
    );
    return { kernel, inChannels, outChannels };
  },
  uniforms: { inChannels: "u32", outChannels: "u32" },
  workgroups: ({ kernel, inChannels, outChannels }) =>
    foldWorkgroups(kernel ** 2 * inChannels * outChannels / 16, 8),
};
