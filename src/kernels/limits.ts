import type { Kernel } from "./kernel.ts";
import { rowsFormat, textureRows } from "./texture_rows.ts";

/**
 * The limits of a `GPUDevice` that a kernel may exceed with a large shape. It keeps within the others by construction.
 */
export type ShapeLimits = Pick<
  GPUSupportedLimits,
  "maxStorageBufferBindingSize" | "maxComputeWorkgroupsPerDimension" | "maxTextureDimension2D"
>;

/** A limit of a device that running a kernel would exceed. */
export interface ExceededLimit {
  /** What needs how much, and which limit that exceeds, in words. */
  readonly message: string;
  readonly needed: number;
  readonly limit: number;
}

/** The limit of a device that running a kernel would exceed, in words; undefined if there is none. */
export function exceededLimit<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  limits: ShapeLimits,
): string | undefined {
  return findExceededLimit(kernel, shape, limits)?.message;
}

/** The limit of a device that running a kernel would exceed; undefined if there is none. */
export function findExceededLimit<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  limits: ShapeLimits,
): ExceededLimit | undefined {
  const { maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension, maxTextureDimension2D } = limits;
  const exceeded = (what: string, needed: number, name: keyof ShapeLimits): ExceededLimit => ({
    message: `${kernel.name}: ${what}; ${name} of this device is ${limits[name]}`,
    needed,
    limit: limits[name],
  });
  for (const binding of kernel.bindings) {
    const { name } = binding;
    const needed = binding.bytes(shape);
    if (binding.access === "texture") {
      const rows = textureRows(needed, rowsFormat(binding));
      if (rows <= maxTextureDimension2D) continue;
      const what = `operand ${name} of ${needed} bytes needs ${rows} rows of a texture`;
      return exceeded(what, rows, "maxTextureDimension2D");
    }
    if (needed <= maxStorageBufferBindingSize) continue;
    return exceeded(`operand ${name} needs ${needed} bytes`, needed, "maxStorageBufferBindingSize");
  }
  const workgroups = kernel.workgroups(shape);
  const most = Math.max(...workgroups);
  if (most <= maxComputeWorkgroupsPerDimension) return undefined;
  return exceeded(`${workgroups.join("×")} workgroups`, most, "maxComputeWorkgroupsPerDimension");
}
