import type { Kernel } from "./kernel.ts";
import { rowsFormat, textureRows } from "./texture_rows.ts";

/** The limits of a `GPUDevice` that a kernel may exceed with a large shape; it keeps to the others by construction. */
export type ShapeLimits = Pick<
  GPUSupportedLimits,
  "maxStorageBufferBindingSize" | "maxComputeWorkgroupsPerDimension" | "maxTextureDimension2D"
>;

/** The limit of a device that a run of a kernel would exceed, in words; undefined if there is none. */
export function exceededLimit<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  { maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension, maxTextureDimension2D }: ShapeLimits,
): string | undefined {
  for (const binding of kernel.bindings) {
    const { name } = binding;
    const needed = binding.bytes(shape);
    if (binding.access === "texture") {
      const rows = textureRows(needed, rowsFormat(binding));
      if (rows <= maxTextureDimension2D) continue;
      return `${kernel.name}: operand ${name} needs ${rows} rows of a texture; ` +
        `maxTextureDimension2D of this device is ${maxTextureDimension2D}`;
    }
    if (needed <= maxStorageBufferBindingSize) continue;
    return `${kernel.name}: operand ${name} needs ${needed} bytes; ` +
      `maxStorageBufferBindingSize of this device is ${maxStorageBufferBindingSize}`;
  }
  const workgroups = kernel.workgroups(shape);
  if (workgroups.every((count) => count <= maxComputeWorkgroupsPerDimension)) return undefined;
  return `${kernel.name}: ${workgroups.join("×")} workgroups; ` +
    `maxComputeWorkgroupsPerDimension of this device is ${maxComputeWorkgroupsPerDimension}`;
}
