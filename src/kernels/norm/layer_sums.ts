import wgsl from "../../../shaders/norm/layer_sums.wgsl" with { type: "text" };
import { type Binding, bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import type { NormShape } from "./moments.ts";

function perGroup<Name extends string>(name: Name, access: "read" | "read-write"): Binding<NormShape, Name> {
  return { name, access, bytes: ({ groups, channels }) => bytes32(groups * channels) };
}

const bindings: readonly Binding<
  NormShape,
  "scale" | "shiftSum" | "scaleSum" | "spreadShift" | "spreadScale"
>[] = [
  { name: "scale", access: "read", bytes: ({ channels }) => bytes32(channels) },
  perGroup("shiftSum", "read"),
  perGroup("scaleSum", "read"),
  perGroup("spreadShift", "read-write"),
  perGroup("spreadScale", "read-write"),
];

/**
 * Sums of layer norm: the sums of `normBackwardSums` for all channels of a group together, since they share their
 * statistics.
 * @cost Two multiply-adds a channel of each group. A workgroup takes a group, and on software adapters an
 *   invocation.
 * @example
 * ```ts
 * import { layerNormSums, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { spreadShift, spreadScale } = await run(layerNormSums, { groups: 1, rows: 1, channels: 4 }, {
 *   scale: [1, 1, 2, 2],
 *   shiftSum: [1, 2, 3, 4],
 *   scaleSum: [4, 0, 0, 0],
 *   spreadShift: 4,
 *   spreadScale: 4,
 * });
 * assert.deepEqual([...spreadShift], Array(4).fill((1 + 2 + 6 + 8) / 4));
 * assert.deepEqual([...spreadScale], [1, 1, 1, 1]);
 * ```
 */
export const layerNormSums: Kernel<
  NormShape,
  "scale" | "shiftSum" | "scaleSum" | "spreadShift" | "spreadScale"
> = withTextures({
  name: "layer_norm_sums",
  wgsl,
  bindings,
  constants: ({ groups, channels }) => ({ groups, channels }),
  workgroups: ({ groups }) => foldWorkgroups(groups, 1),
}, {
  name: "layer_norm_sums_alone",
  entryPoint: "alone",
  bindings,
  workgroups: ({ groups }) => foldWorkgroups(groups, 8),
});
