import { GpuError } from "../errors.ts";
import { vulkanAdvice } from "./backend.ts";

/** Features that are used where an adapter has them. */
const usedFeatures: readonly GPUFeatureName[] = ["timestamp-query", "shader-f16"];

/**
 * The adapter that WebGPU takes for the most powerful.
 * @throws {GpuError} if there is none.
 */
export async function mostPowerfulAdapter(): Promise<GPUAdapter> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new GpuError(`no WebGPU adapter: ${vulkanAdvice}`);
  return adapter;
}

/**
 * Opens an adapter's device with the adapter's largest buffer limits, and timestamp queries and float16 where it has them.
 * @param needed further features that it must have
 * @throws {GpuError} if the adapter refuses: another process may hold it, or its driver is being reset.
 */
export async function requestDevice(
  adapter: GPUAdapter,
  needed: readonly GPUFeatureName[] = [],
): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice({
      requiredFeatures: [...usedFeatures.filter((feature) => adapter.features.has(feature)), ...needed],
      requiredLimits: {
        maxBufferSize: adapter.limits.maxBufferSize,
        maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
      },
    });
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
    throw new GpuError(`the GPU ${adapter.info.description} cannot be opened: ${reason}`);
  }
}
