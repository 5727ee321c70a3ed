import wgsl from "../../shaders/layer_norm_sums.wgsl" with { type: "text" };
import { type Binding, bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";
import type { NormShape } from "./norm_moments.ts";

function perGroup<Name extends string>(name: Name, access: "read" | "read-write"): Binding<NormShape, Name> {
  return { name, access, bytes: ({ groups, channels }) => bytes32(groups * channels) };
}

/** What the sums of `normBackwardSums` become when all channels of a group share their statistics. */
export const layerNormSums: Kernel<
  NormShape,
  "scale" | "shiftSum" | "scaleSum" | "spreadShift" | "spreadScale"
> = {
  name: "layer_norm_sums",
  wgsl,
  bindings: [
    { name: "scale", access: "read", bytes: ({ channels }) => bytes32(channels) },
    perGroup("shiftSum", "read"),
    perGroup("scaleSum", "read"),
    perGroup("spreadShift", "read-write"),
    perGroup("spreadScale", "read-write"),
  ],
  constants: ({ groups, channels }) => ({ groups, channels }),
  workgroups: ({ groups }) => foldWorkgroups(groups, 8),
};
