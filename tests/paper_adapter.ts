/** A WebGPU adapter that does nothing, on which work can be recorded without a GPU and without memory. */

import { paperDevice } from "../src/gpu/paper_device.ts";

const usualLimits = {
  maxBufferSize: 2 ** 31,
  maxStorageBufferBindingSize: 2 ** 31,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxTextureDimension2D: 8192,
  minStorageBufferOffsetAlignment: 256,
};

/** An adapter of which only the limits are real: what is recorded on it takes no memory. */
export function paperAdapter(limits: typeof usualLimits = usualLimits) {
  const features = new Set(["shader-f16"]);
  const info = { description: "paper" };
  return { limits, info, features, requestDevice: () => Promise.resolve(paperDevice({ limits, features })) };
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
