import wgsl from "../../shaders/batch_norm_backward_sums.wgsl" with { type: "text" };
import { batchNormChunks, type BatchNormShape } from "./batch_norm_moments.ts";
import { type Binding, bytes32, type Kernel } from "./kernel.ts";

const perChannel = <Name extends string>(name: Name): Binding<BatchNormShape, Name> => ({
  name,
  access: "read-write",
  bytes: ({ channels }) => bytes32(channels),
});

const sums: readonly Binding<BatchNormShape, "partials" | "shiftSum" | "scaleSum">[] = [
  {
    name: "partials",
    access: "read",
    bytes: (shape) => bytes32(batchNormChunks(shape) * 2 * shape.channels),
  },
  perChannel("shiftSum"),
  perChannel("scaleSum"),
];

const constants = ({ channels }: BatchNormShape) => ({ channels });
const workgroups = (
  { channels }: BatchNormShape,
): [number, number, number] => [Math.ceil(channels / 32), 1, 1];

/** Second stage of a batch norm's backward pass: Σ g and Σ g·normal for each channel. */
export const batchNormBackwardSums: Kernel<BatchNormShape, "partials" | "shiftSum" | "scaleSum"> = {
  name: "batch_norm_backward_sums",
  wgsl,
  entryPoint: "sums",
  bindings: sums,
  constants,
  workgroups,
};

/** {@link batchNormBackwardSums}, and adds the sums to the gradients by shift and scale, which they are. */
export const batchNormBackwardSumsParameters: Kernel<
  BatchNormShape,
  "partials" | "shiftSum" | "scaleSum" | "shiftGradient" | "scaleGradient"
> = {
  name: "batch_norm_backward_sums",
  wgsl,
  entryPoint: "sumsAndParameters",
  bindings: [...sums, perChannel("shiftGradient"), perChannel("scaleGradient")],
  constants,
  workgroups,
};
