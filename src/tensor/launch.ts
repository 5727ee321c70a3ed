import { GpuError } from "../errors.ts";
import type { BufferRange } from "../gpu/command.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { entryPointOf, type Kernel } from "../kernels/kernel.ts";
import { exceededLimit } from "../kernels/limits.ts";

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
  const exceeded = exceededLimit(kernel, shape, gpu.device.limits);
  if (exceeded !== undefined) throw new GpuError(exceeded);
  const ranges = kernel.bindings.map(({ name, bytes }) => {
    const { buffer, offset, size } = operands[name].range();
    const needed = bytes(shape);
    if (needed > size) {
      throw new GpuError(`${kernel.name}: operand ${name} needs ${needed} bytes and has ${size}`);
    }
    return { buffer, offset, size: needed };
  });
  gpu.dispatch(
    {
      name: kernel.name,
      wgsl: kernel.wgsl,
      entryPoint: entryPointOf(kernel, shape),
      constants: kernel.constants(shape),
      access: kernel.bindings.map((binding) => binding.access),
    },
    ranges,
    kernel.workgroups(shape),
  );
}
