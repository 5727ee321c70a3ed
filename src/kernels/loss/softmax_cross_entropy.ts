import wgsl from "../../../shaders/loss/softmax_cross_entropy.wgsl" with { type: "text" };
import backwardWgsl from "../../../shaders/loss/softmax_cross_entropy_backward.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "../kernel.ts";
import { rowConstants, type RowsShape, rowUniforms } from "./log_sum_exp.ts";

/**
 * Cross-entropy of each row with its label, and whether the label has the largest logit.
 * @throws {RangeError} if there are more than 30,000 columns.
 * @cost An exponential for each value, which is read twice. An invocation takes one row: meant for few columns.
 * @example
 * ```ts
 * import { run, softmaxCrossEntropy } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { losses, correct } = await run(softmaxCrossEntropy, { rows: 2, columns: 4 }, {
 *   logits: [0, 0, 0, 0, 0, 50, 0, 0],
 *   labels: Uint32Array.of(3, 1),
 *   losses: 2,
 *   correct: 2,
 * });
 * assert.ok(Math.abs(losses[0]! - Math.log(4)) < 1e-6 && Math.abs(losses[1]!) < 1e-6);
 * assert.deepEqual([...correct], [0, 1]);
 * ```
 */
export const softmaxCrossEntropy: Kernel<RowsShape, "logits" | "labels" | "losses" | "correct"> = {
  name: "softmax_cross_entropy",
  wgsl,
  bindings: [
    { name: "logits", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    { name: "labels", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "losses", access: "read-write", bytes: ({ rows }) => bytes32(rows) },
    { name: "correct", access: "read-write", bytes: ({ rows }) => bytes32(rows) },
  ],
  constants: rowConstants,
  uniforms: rowUniforms,
  workgroups: ({ rows }) => foldWorkgroups(rows),
};

/**
 * Gradient of {@link softmaxCrossEntropy} with respect to the logits, written or added.
 * @throws {RangeError} if there are more than 20,000 columns.
 * @cost Two exponentials for each value, which is read three times and written once. An invocation takes one row: meant
 *   for few columns.
 * @example
 * ```ts
 * import { run, softmaxCrossEntropyBackward } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { rows: 1, columns: 4, accumulate: false };
 * const { logitsGradient } = await run(softmaxCrossEntropyBackward, shape, {
 *   logits: [0, 0, 0, 0],
 *   labels: Uint32Array.of(3),
 *   lossGradient: [4],
 *   logitsGradient: 4,
 * });
 * [1, 1, 1, -3].forEach((value, i) => assert.ok(Math.abs(logitsGradient[i]! - value) < 1e-5));
 * ```
 */
export const softmaxCrossEntropyBackward: Kernel<
  RowsShape & { readonly accumulate: boolean },
  "logits" | "labels" | "lossGradient" | "logitsGradient"
> = {
  name: "softmax_cross_entropy_backward",
  wgsl: backwardWgsl,
  bindings: [
    { name: "logits", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    { name: "labels", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "lossGradient", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "logitsGradient", access: "read-write", bytes: ({ rows, columns }) => bytes32(rows * columns) },
  ],
  constants: (shape) => {
    requireShape(shape.columns <= 20_000, "rows", `${shape.columns} columns; at most 20,000 are summed`);
    return { ...rowConstants(shape), accumulate: Number(shape.accumulate) };
  },
  uniforms: rowUniforms,
  workgroups: ({ rows }) => foldWorkgroups(rows),
};
