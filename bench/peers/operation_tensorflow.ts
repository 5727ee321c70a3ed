/** TensorFlow.js, which has the same layouts as this project. */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgpu";
import type { Prepare } from "./operation_case.ts";

/** How its WebGPU backend submits what it has recorded. */
interface Internals {
  readonly device: GPUDevice;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** Its kernels, without its autodiff around them. */
export const prepare: Prepare = async ({ operation, batch, channels, size }, operands) => {
  await tf.setBackend("webgpu");
  await tf.ready();
  const backend = tf.backend() as unknown as Internals;
  backend.device.addEventListener("uncapturederror", (event) => {
    throw new Error((event as GPUUncapturedErrorEvent).error.message);
  });
  const images = [batch, size, size, channels] as [number, number, number, number];
  const filters = [3, 3, channels, channels] as [number, number, number, number];
  const compute = (): tf.Tensor => {
    if (operation === "forward") return tf.conv2d(input as tf.Tensor4D, weight as tf.Tensor4D, 1, "same");
    if (operation === "matmul") return tf.matMul(input as tf.Tensor2D, weight as tf.Tensor2D);
    const common = { strides: 1, pad: "same", dataFormat: "NHWC", dimRoundingMode: "floor" };
    return operation === "input"
      ? run("Conv2DBackpropInput", { dy: outputGradient!, filter: weight }, { ...common, inputShape: images })
      : run("Conv2DBackpropFilter", { x: input, dy: outputGradient! }, { ...common, filterShape: filters });
  };
  const run = (name: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap) =>
    tf.engine().runKernel(name, inputs, attributes) as tf.Tensor;
  const matrix: [number, number] = [size, size];
  const input = tf.tensor(operands.input, operation === "matmul" ? matrix : images);
  const weight = tf.tensor(operands.weight, operation === "matmul" ? matrix : filters);
  const outputGradient = operation === "matmul" ? undefined : tf.tensor(operands.outputGradient, images);
  let latest: tf.Tensor | undefined;
  return {
    call: () => {
      latest?.dispose();
      latest = compute();
    },
    wait: async () => {
      backend.endComputePassEncoder();
      backend.submitQueue();
      await backend.device.queue.onSubmittedWorkDone();
    },
    result: async () => await latest!.data() as Float32Array,
  };
};
