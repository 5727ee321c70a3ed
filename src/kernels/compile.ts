import { bindGroupLayoutEntries } from "./bind_group_layout.ts";
import { constantsOf, entryPointOf, type Kernel, uniformBinding } from "./kernel.ts";
import { exceededLimit } from "./limits.ts";

/** Records one run of a kernel into a compute pass. */
export type Dispatch = (pass: GPUComputePassEncoder) => void;

/**
 * Where an operand is: a buffer from its start, or from an offset that is a multiple of 256 bytes. An operand that is
 * read through a texture is that texture, see `Binding.access`.
 */
export type Place = GPUBuffer | { readonly buffer: GPUBuffer; readonly offset: number } | GPUTexture;

/** A kernel compiled for a shape, ready to run on any buffers. */
export interface CompiledKernel<Name extends string> {
  /**
   * Creates the bind group for some buffers. Keep what it returns for as long as they stay the same.
   * @param operands buffers with usage `STORAGE`, at least as large as the bindings' `bytes(shape)`
   * @throws {RangeError} if an operand is missing.
   */
  readonly bind: (operands: Readonly<Record<Name, Place>>) => Dispatch;
}

/**
 * Compiles a kernel for a shape on any device; the default limits are enough. The kernel then runs in the caller's own
 * passes, between the caller's own dispatches.
 * @throws {RangeError} if the kernel does not support the shape, or the shape exceeds a limit of the device.
 * @example
 * ```ts
 * import { add, compile } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
 * const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
 * const [values, sum] = [1, 2].map(() => device.createBuffer({ size: 16, usage })) as [GPUBuffer, GPUBuffer];
 * device.queue.writeBuffer(values, 0, Float32Array.of(1, 2, 3, 4));
 *
 * const addTwice = compile(device, add, { length: 4, factor: 2 }).bind({
 *   first: values,
 *   second: values,
 *   sum,
 * });
 * const encoder = device.createCommandEncoder();
 * const pass = encoder.beginComputePass();
 * addTwice(pass);
 * pass.end();
 * const read = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
 * encoder.copyBufferToBuffer(sum, 0, read, 0, 16);
 * device.queue.submit([encoder.finish()]);
 * await read.mapAsync(GPUMapMode.READ);
 * assert.deepEqual([...new Float32Array(read.getMappedRange())], [3, 6, 9, 12]);
 * ```
 */
export function compile<Shape, Name extends string>(
  device: GPUDevice,
  kernel: Kernel<Shape, Name>,
  shape: Shape,
): CompiledKernel<Name> {
  const { overrides, uniforms } = constantsOf(kernel, shape);
  const exceeded = exceededLimit(kernel, shape, device.limits);
  if (exceeded !== undefined) throw new RangeError(exceeded);
  const layout = device.createBindGroupLayout({
    label: kernel.name,
    entries: bindGroupLayoutEntries(
      kernel.bindings.map(({ access }) => access),
      uniforms && uniformBinding,
    ),
  });
  const pipeline = device.createComputePipeline({
    label: kernel.name,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: {
      module: device.createShaderModule({ label: kernel.name, code: kernel.wgsl }),
      entryPoint: entryPointOf(kernel, shape),
      constants: overrides,
    },
  });
  const workgroups = kernel.workgroups(shape);
  const uniformEntries = uniforms
    ? [{ binding: uniformBinding, resource: { buffer: uniformBuffer(device, uniforms) } }]
    : [];
  const bind: CompiledKernel<Name>["bind"] = (operands) => {
    const bindGroup = device.createBindGroup({
      label: kernel.name,
      layout,
      entries: kernel.bindings.map(({ name, bytes }, binding): GPUBindGroupEntry => {
        const place: Place | undefined = operands[name];
        // As it can be in JavaScript.
        if (!place) throw new RangeError(`${kernel.name}: operand ${name} is missing`);
        if ("createView" in place) return { binding, resource: place.createView() };
        const { buffer, offset } = "buffer" in place ? place : { buffer: place, offset: 0 };
        return { binding, resource: { buffer, offset, size: bytes(shape) } };
      }).concat(uniformEntries),
    });
    return (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
    };
  };
  return { bind };
}

function uniformBuffer(device: GPUDevice, values: Uint32Array): GPUBuffer {
  const size = values.byteLength;
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.UNIFORM, mappedAtCreation: true });
  new Uint32Array(buffer.getMappedRange()).set(values);
  buffer.unmap();
  return buffer;
}
