/** The facts about a device that decide what is recorded on it. */
export interface DeviceCapabilities {
  readonly limits: Pick<
    GPUSupportedLimits,
    | "maxBufferSize"
    | "maxStorageBufferBindingSize"
    | "maxComputeWorkgroupsPerDimension"
    | "maxTextureDimension2D"
    | "minStorageBufferOffsetAlignment"
  >;
  readonly features: Pick<ReadonlySet<string>, "has">;
}

/** A device that does nothing: recording on it takes none of its memory or time. */
export function paperDevice({ limits, features }: DeviceCapabilities): GPUDevice {
  const nothing = () => ({});
  const done = () => Promise.resolve();
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const texture = ({ size, format }: { size: readonly number[]; format: string }) => ({
    width: size[0],
    height: size[1],
    format,
    createView: nothing,
    destroy: nothing,
  });
  const device = {
    limits,
    features,
    lost: new Promise(() => {}),
    addEventListener: nothing,
    queue: { submit: nothing, writeBuffer: nothing, onSubmittedWorkDone: done },
    createBuffer: ({ size }: { size: number }) => ({
      size,
      destroy: nothing,
      getMappedRange: () => new ArrayBuffer(size),
      mapAsync: done,
      unmap: nothing,
    }),
    createTexture: texture,
    createBindGroup: nothing,
    createBindGroupLayout: nothing,
    createPipelineLayout: nothing,
    createShaderModule: nothing,
    createComputePipeline: nothing,
    createCommandEncoder: () => ({
      beginComputePass: () => pass,
      clearBuffer: nothing,
      copyBufferToBuffer: nothing,
      copyBufferToTexture: nothing,
      finish: nothing,
    }),
    destroy: nothing,
  };
  return device as unknown as GPUDevice;
}
