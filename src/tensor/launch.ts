import { GpuError } from "../errors.ts";
import type { BufferRange } from "../gpu/command.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { textureRows } from "../gpu/texture_pool.ts";
import { entryPointOf, type Kernel } from "../kernels/kernel.ts";

/** Something that occupies a range of a GPU buffer: a tensor, or a part of one. */
export interface Bindable {
  range(): BufferRange;
}

/**
 * Records one run of a kernel over named operands.
 * @throws {GpuError} if an operand is smaller than the kernel needs, or the shape exceeds a limit of the device.
 */
export function launch<Shape, Name extends string>(
  gpu: Gpu,
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Bindable>>,
): void {
  const { maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension, maxTextureDimension2D } =
    gpu.device.limits;
  const ranges = kernel.bindings.map(({ name, access, bytes }) => {
    const { buffer, offset, size } = operands[name].range();
    const needed = bytes(shape);
    const what = `${kernel.name}: operand ${name}`;
    if (needed > size) throw new GpuError(`${what} needs ${needed} bytes and has ${size}`);
    if (access === "texture" && textureRows(needed) > maxTextureDimension2D) {
      throw new GpuError(
        `${what} needs ${textureRows(needed)} rows of a texture; ` +
          `maxTextureDimension2D of this device is ${maxTextureDimension2D}`,
      );
    }
    if (access !== "texture" && needed > maxStorageBufferBindingSize) {
      throw new GpuError(
        `${what} needs ${needed} bytes; maxStorageBufferBindingSize of this device is ${maxStorageBufferBindingSize}`,
      );
    }
    return { buffer, offset, size: needed };
  });
  const workgroups = kernel.workgroups(shape);
  if (workgroups.some((count) => count > maxComputeWorkgroupsPerDimension)) {
    throw new GpuError(
      `${kernel.name}: ${workgroups.join("×")} workgroups; ` +
        `maxComputeWorkgroupsPerDimension of this device is ${maxComputeWorkgroupsPerDimension}`,
    );
  }
  gpu.dispatch(
    {
      name: kernel.name,
      wgsl: kernel.wgsl,
      entryPoint: entryPointOf(kernel, shape),
      constants: kernel.constants(shape),
      access: kernel.bindings.map((binding) => binding.access),
    },
    ranges,
    workgroups,
  );
}
