import { GpuError, LimitError } from "../errors.ts";
import type { BufferRange } from "../gpu/command.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { inHalf } from "../kernels/half.ts";
import { constantsOf, entryPointOf, type Kernel, suited, uniformBinding } from "../kernels/kernel.ts";
import { exceededLimit, findExceededLimit } from "../kernels/limits.ts";
import { copiesToRows, rowsFormat, texelsPerRow, textureRows } from "../kernels/texture_rows.ts";
import type { ElementType } from "./element_type.ts";

/** Something that occupies a range of a GPU buffer: a tensor, or a part of one. */
export interface Bindable {
  readonly type: ElementType;
  range(): BufferRange;
}

/**
 * Records one run of a kernel over named operands. Operands of float16 take the kernel's variant for half precision.
 * What it reads through textures is copied into them first.
 * @throws {GpuError} if an operand is smaller than the kernel needs, or the shape exceeds a limit of the device.
 * @throws {RangeError} if the kernel cannot take a float16 operand.
 */
export function launch<Shape, Name extends string>(
  gpu: Gpu,
  general: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Bindable>>,
): void {
  const kernel = variantFor(gpu, general, shape, operands);
  const exceeded = findExceededLimit(kernel, shape, gpu.device.limits);
  if (exceeded) throw new LimitError(exceeded.message, exceeded.needed, exceeded.limit);
  const resources = kernel.bindings.map((binding) => {
    const { name } = binding;
    const { buffer, offset, size } = operands[name].range();
    const needed = binding.bytes(shape);
    if (needed > size) {
      throw new GpuError(`${kernel.name}: operand ${name} needs ${needed} bytes and has ${size}`);
    }
    const range = { buffer, offset, size: needed };
    if (binding.access !== "texture") return range;
    const format = rowsFormat(binding);
    const textureSize = { format, width: texelsPerRow, rows: textureRows(needed, format) };
    return gpu.throughTexture(range, textureSize, (texture) => copiesToRows(range, texture));
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

/** The variant of a kernel for the operands' types and the adapter. */
function variantFor<Shape, Name extends string>(
  gpu: Gpu,
  general: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Bindable>>,
): Kernel<Shape, Name> {
  const halves = general.bindings.map(({ name }) => name).filter((name) => operands[name].type === "float16");
  const kernel = halves.length > 0 ? inHalf(general, halves) : general;
  const variant = suited(kernel, gpu.adapterFamily === "gpu" ? gpu.kind : "software");
  // SwiftShader can bind buffers that are too large for its textures.
  const fits = variant === kernel || exceededLimit(variant, shape, gpu.device.limits) === undefined;
  return fits ? variant : kernel;
}
