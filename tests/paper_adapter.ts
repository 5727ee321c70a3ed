/** A WebGPU adapter that does nothing, on which work can be recorded without a GPU and without memory. */

/** An adapter of which only the limits are real: what is recorded on it takes no memory. */
export function paperAdapter() {
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
