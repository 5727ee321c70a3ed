import wgsl from "../../shaders/global_average_pool.wgsl" with { type: "text" };
import backwardWgsl from "../../shaders/global_average_pool_backward.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";

/** Images `[batch, pixels, channels]`; channels a multiple of 4. */
export interface PoolShape {
  readonly batch: number;
  readonly pixels: number;
  readonly channels: number;
}

function constants({ pixels, channels }: PoolShape): Record<string, number> {
  requireShape(
    channels % 4 === 0,
    "global_average_pool",
    `channels must be a multiple of 4, not ${channels}`,
  );
  requireShape(
    pixels <= 65_535,
    "global_average_pool",
    `${pixels} pixels; at most 65,535 are summed by one loop`,
  );
  return { pixels, channels };
}

/** Mean over the pixels, `[N, P, C]` → `[N, C]`. */
export const globalAveragePool: Kernel<PoolShape, "input" | "output"> = {
  name: "global_average_pool",
  wgsl,
  bindings: [
    {
      name: "input",
      access: "read",
      bytes: ({ batch, pixels, channels }) => bytes32(batch * pixels * channels),
    },
    { name: "output", access: "read-write", bytes: ({ batch, channels }) => bytes32(batch * channels) },
  ],
  constants,
  workgroups: ({ batch, channels }) => foldWorkgroups(batch * channels / 4),
};

/** Gradient of {@link globalAveragePool} by its input, written or added. */
export const globalAveragePoolBackward: Kernel<
  PoolShape & { readonly accumulate: boolean },
  "outputGradient" | "inputGradient"
> = {
  name: "global_average_pool_backward",
  wgsl: backwardWgsl,
  bindings: [
    { name: "outputGradient", access: "read", bytes: ({ batch, channels }) => bytes32(batch * channels) },
    {
      name: "inputGradient",
      access: "read-write",
      bytes: ({ batch, pixels, channels }) => bytes32(batch * pixels * channels),
    },
  ],
  constants: (shape) => ({ ...constants(shape), accumulate: Number(shape.accumulate) }),
  workgroups: ({ batch, pixels, channels }) => foldWorkgroups(batch * pixels * channels / 4),
};
