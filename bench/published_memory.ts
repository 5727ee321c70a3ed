/**
 * GPU memory of training the published network with the published batches, recorded on an adapter that does nothing, so that it is
 * known without a GPU: `deno run --allow-read bench/published_memory.ts [float16]`.
 */

import type { Dataset } from "../src/data/dataset.ts";
import { Gpu } from "../src/gpu/gpu.ts";
import type { ActivationType } from "../src/nn/wide_resnet.ts";
import { Context } from "../src/tensor/context.ts";
import { preset } from "../src/train/presets.ts";
import { Trainer } from "../src/train/trainer.ts";
import { type MemoryPart, memoryParts } from "./memory.ts";

/** An adapter of which only the limits are real: what is recorded on it takes no memory. */
function paperAdapter() {
  const limits = {
    maxBufferSize: 2 ** 31,
    maxStorageBufferBindingSize: 2 ** 31,
    maxComputeWorkgroupsPerDimension: 65_535,
    maxTextureDimension2D: 8192,
    minStorageBufferOffsetAlignment: 256,
  };
  const features = new Set(["shader-f16"]);
  const nothing = () => ({});
  const device = {
    limits,
    features,
    lost: new Promise(() => {}),
    addEventListener: nothing,
    queue: { submit: nothing, writeBuffer: nothing },
    createBuffer: ({ size }: { size: number }) => ({
      size,
      destroy: nothing,
      getMappedRange: () => new ArrayBuffer(size),
      unmap: nothing,
    }),
    createBindGroup: nothing,
    createBindGroupLayout: nothing,
    createPipelineLayout: nothing,
    createShaderModule: nothing,
    createComputePipeline: nothing,
    createCommandEncoder: () => ({
      beginComputePass: () => ({
        setPipeline: nothing,
        setBindGroup: nothing,
        dispatchWorkgroups: nothing,
        end: nothing,
      }),
      clearBuffer: nothing,
      copyBufferToBuffer: nothing,
      finish: nothing,
    }),
    destroy: nothing,
  };
  const info = { description: "paper" };
  return { limits, info, features, requestDevice: () => Promise.resolve(device) };
}

/** Runs `work` with another `navigator.gpu`. */
export async function withAdapter<Result>(adapter: object, work: () => Promise<Result>): Promise<Result> {
  const gpu = { requestAdapter: () => Promise.resolve(adapter) };
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  try {
    return await work();
  } finally {
    // Uncovers the real one of the prototype.
    Reflect.deleteProperty(navigator, "gpu");
  }
}

/** Black images. */
const images = (count: number) => ({
  bytes: new Uint8Array(count * 3072),
  labels: Uint32Array.from({ length: count }, (_, i) => i % 10),
  count,
});

const cifar10: Dataset = {
  name: "black images",
  height: 32,
  width: 32,
  channels: 3,
  maximum: 255,
  classNames: [..."0123456789"],
  train: images(50_000),
  test: images(10),
  augmentation: { padding: 4, flip: true },
};

/**
 * Bytes by part of training by the preset for CIFAR-10: WRN-28-10, batches of 64, 64 and 128, a replay buffer of 10,000.
 * @param activations how values between layers are stored
 */
export function publishedMemory(activations: ActivationType): Promise<Record<MemoryPart, number>> {
  return withAdapter(paperAdapter(), async () => {
    const gpu = await Gpu.request();
    const trainer = new Trainer(new Context(gpu), { ...preset("cifar10"), activations }, cifar10);
    trainer.record();
    const parts = memoryParts(gpu, trainer);
    gpu.destroy();
    return parts;
  });
}

if (import.meta.main) {
  const parts = Object.entries(await publishedMemory(Deno.args[0] === "float16" ? "float16" : "float32"));
  const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
  for (const [name, bytes] of [...parts, ["all", total] as const]) {
    Deno.stdout.writeSync(new TextEncoder().encode(`${name}: ${(bytes / 1e6).toFixed(0)} MB\n`));
  }
}
