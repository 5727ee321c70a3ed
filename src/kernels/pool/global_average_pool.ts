import wgsl from "../../../shaders/pool/global_average_pool.wgsl" with { type: "text" };
import backwardWgsl from "../../../shaders/pool/global_average_pool_backward.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, mostLoopIterations, requireShape } from "../kernel.ts";

/** Images `[batch, pixels, channels]`. Channels are a multiple of 4. */
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
    pixels <= mostLoopIterations,
    "global_average_pool",
    `${pixels} pixels; at most ${mostLoopIterations} are summed by one loop`,
  );
  return { pixels, channels };
}

/**
 * Mean over the pixels, `[N, P, C]` → `[N, C]`.
 * @throws {RangeError} unless the channels are a multiple of 4 and there are at most 65,535 pixels.
 * @cost An addition and 4 bytes read an input value: bound by bandwidth. An invocation sums all pixels of 4 channels.
 * @example
 * ```ts
 * import { globalAveragePool, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { output } = await run(globalAveragePool, { batch: 1, pixels: 2, channels: 4 }, {
 *   input: [1, 2, 3, 4, 5, 6, 7, 8],
 *   output: 4,
 * });
 * assert.deepEqual([...output], [3, 4, 5, 6]);
 * ```
 */
export const globalAveragePool: Kernel<PoolShape, "input" | "output"> = {
  name: "global_average_pool",
  wgsl,
  bindings: [
    {
      name: "input",
      access: "read",
      alias: "Input",
      bytes: ({ batch, pixels, channels }) => bytes32(batch * pixels * channels),
    },
    { name: "output", access: "read-write", bytes: ({ batch, channels }) => bytes32(batch * channels) },
  ],
  constants,
  workgroups: ({ batch, channels }) => foldWorkgroups(batch * channels / 4),
};

/**
 * Gradient of {@link globalAveragePool} with respect to its input, written or added.
 * @throws {RangeError} unless the channels are a multiple of 4 and there are at most 65,535 pixels.
 * @cost 4 bytes written a value, and 4 read where it accumulates: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { globalAveragePoolBackward, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { batch: 1, pixels: 2, channels: 4, accumulate: false };
 * const { inputGradient } = await run(globalAveragePoolBackward, shape, {
 *   outputGradient: [2, 4, 6, 8],
 *   inputGradient: 8,
 * });
 * assert.deepEqual([...inputGradient], [1, 2, 3, 4, 1, 2, 3, 4]);
 * ```
 */
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
