import { GpuError } from "../errors.ts";
import type { BufferRange } from "../gpu/command.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { constantsOf, entryPointOf, type Kernel, uniformBinding } from "../kernels/kernel.ts";
import { exceededLimit } from "../kernels/limits.ts";
import { copiesToRows, texelsPerRow, textureRows } from "../kernels/texture_rows.ts";

/** Something that occupies a range of a GPU buffer: a tensor, or a part of one. */
export interface Bindable {
  range(): BufferRange;
}

/**
 * Records one run of a kernel over named operands; what it reads through textures is copied into them first.
 * @throws {GpuError} if an operand is smaller than the kernel needs, or the shape exceeds a limit of the device.
 */
export function launch<Shape, Name extends string>(
  gpu: Gpu,
  general: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Bindable>>,
): void {
  const kernel = gpu.adapterFamily === "lavapipe" ? general.throughTextures ?? general : general;
  const exceeded = exceededLimit(kernel, shape, gpu.device.limits);
  if (exceeded !== undefined) throw new GpuError(exceeded);
  const resources = kernel.bindings.map(({ name, access, bytes }) => {
    const { buffer, offset, size } = operands[name].range();
    const needed = bytes(shape);
    if (needed > size) {
      throw new GpuError(`${kernel.name}: operand ${name} needs ${needed} bytes and has ${size}`);
    }
    const range = { buffer, offset, size: needed };
    if (access !== "texture") return range;
    return gpu.throughTexture(
      range,
      texelsPerRow,
      textureRows(needed),
      (texture) => copiesToRows(range, texture),
    );
  });
  const { overrides, uniforms } = constantsOf(kernel, shape);
  gpu.dispatch(
    {
      name: kernel.name,
      wgsl: kernel.wgsl,
      entryPoint: entryPointOf(kernel, shape),
      constants: overrides,
      access: kernel.bindings.map((binding) => binding.access),
      uniformBinding: uniforms && uniformBinding,
    },
    resources,
    kernel.workgroups(shape),
    uniforms,
  );
}
