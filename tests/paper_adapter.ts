/** A WebGPU adapter that does nothing. Work can be recorded on it without a GPU and without memory. */

import { paperDevice } from "../src/gpu/paper_device.ts";

const usualLimits = {
  maxBufferSize: 2 ** 31,
  maxStorageBufferBindingSize: 2 ** 31,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxTextureDimension2D: 8192,
  minStorageBufferOffsetAlignment: 256,
};

/** An adapter on which only the limits are real. Recorded work takes no memory. */
export function paperAdapter(limits: typeof usualLimits = usualLimits) {
  const features = new Set(["shader-f16"]);
  const info = { description: "paper" };
  return { limits, info, features, requestDevice: () => Promise.resolve(paperDevice({ limits, features })) };
}

/** Runs `work` with `navigator.gpu` replaced. */
export async function withAdapter<Result>(adapter: object, work: () => Promise<Result>): Promise<Result> {
  const gpu = { requestAdapter: () => Promise.resolve(adapter) };
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  try {
    return await work();
  } finally {
    // Makes the real one, on the prototype, visible again.
    Reflect.deleteProperty(navigator, "gpu");
  }
}
