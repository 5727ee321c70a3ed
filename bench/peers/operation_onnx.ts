/** ONNX Runtime Web, which computes forward passes only. */

import * as ort from "onnxruntime-web/webgpu";
import { imagesToPyTorch } from "../../src/formats/pytorch/layout.ts";
import type { Prepare } from "./operation_case.ts";
import { convolutionModel, matmulModel } from "./onnx_model.ts";

/** A model of one node with its weights inside, which reads and writes GPU buffers. */
export const prepare: Prepare = async ({ operation, batch, channels, size }, operands) => {
  if (operation === "input" || operation === "weight") return undefined;
  const isProduct = operation === "matmul";
  const shape = isProduct ? [size, size] : [batch, channels, size, size];
  const model = isProduct
    ? matmulModel(size, operands.weight)
    : convolutionModel(shape, channels, weightsToOnnx(operands.weight, channels));
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["webgpu"],
    preferredOutputLocation: "gpu-buffer",
  });
  const device = await ort.env.webgpu.device as GPUDevice;
  const values = isProduct
    ? operands.input
    : imagesToPyTorch({ shape: [batch, size, size, channels], data: operands.input }).data as Float32Array;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: values.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
  const x = ort.Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims: shape });
  let latest: ort.Tensor | undefined;
  return {
    call: async () => {
      latest?.dispose();
      latest = (await session.run({ x }))["y"]!;
    },
    wait: () => device.queue.onSubmittedWorkDone(),
    result: async () => {
      const data = await latest!.getData() as Float32Array;
      return isProduct ? data : fromImages(data, batch, channels, size);
    },
  };
};

/** `[3, 3, in, out]` → `[out, in, 3, 3]`. */
function weightsToOnnx(weight: Float32Array, channels: number): Float32Array {
  const taps = 9;
  return weight.map((_, i) => {
    const [to, from, tap] = [Math.floor(i / taps / channels), Math.floor(i / taps) % channels, i % taps];
    return weight[(tap * channels + from) * channels + to]!;
  });
}

/** `[N, C, H, W]` → `[N, H, W, C]`. */
function fromImages(values: Float32Array, batch: number, channels: number, size: number): Float32Array {
  const pixels = size ** 2;
  return new Float32Array(batch * pixels * channels).map((_, i) => {
    const [channel, pixel, image] = [
      i % channels,
      Math.floor(i / channels) % pixels,
      Math.floor(i / channels / pixels),
    ];
    return values[(image * channels + channel) * pixels + pixel]!;
  });
}
