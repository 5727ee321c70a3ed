import { compile, type Place } from "./compile.ts";
import type { Kernel } from "./kernel.ts";
import { copiesToRows, createRows, textureRows } from "./texture_rows.ts";

/** Values of an operand, 32 bits each, or for one that a kernel only writes the number of its values. */
export type Operand = Float32Array | Uint32Array | readonly number[] | number;

/** The contents of all operands after a run; numbers are float32 unless they were given as a `Uint32Array`. */
export type Contents<Operands> = {
  -readonly [Name in keyof Operands]: Operands[Name] extends Uint32Array ? Uint32Array<ArrayBuffer>
    : Float32Array<ArrayBuffer>;
};

/**
 * Runs a kernel once on values of the host and reads all operands back: to try a kernel out, and to test it. Programs
 * that keep their data on the GPU use `compile`.
 *
 * Operands of which only the number is given, and what a binding holds beyond its operand, begin as NaN, so that a value
 * which the kernel should have written, or should not have read, shows.
 * @param device by default one with WebGPU's default limits that all calls share
 * @throws {RangeError} if the kernel does not support the shape, or an operand has more values than the shape allows.
 * @throws {Error} if there is no WebGPU adapter, or the device reports an error.
 * @example
 * ```ts
 * import { add, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { sum } = await run(add, { length: 3, factor: 10 }, { first: [1, 2, 3], second: [4, 5, 6], sum: 3 });
 * assert.deepEqual([...sum], [41, 52, 63]);
 * ```
 */
export async function run<
  Shape,
  Name extends string,
  Operands extends Readonly<Record<Name, Operand>>,
>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  operands: Operands,
  device?: GPUDevice,
): Promise<Contents<Operands>> {
  const gpu = device ?? await defaultDevice();
  gpu.pushErrorScope("validation");
  let staging: readonly GPUBuffer[];
  let error: GPUError | null;
  try {
    staging = submit(gpu, kernel, shape, operands);
  } finally {
    error = await gpu.popErrorScope();
  }
  if (error) throw new Error(`${kernel.name}: ${error.message}`);

  await Promise.all(staging.map((buffer) => buffer.mapAsync(GPUMapMode.READ)));
  const contents = kernel.bindings.map(({ name }, i) => {
    const operand = operands[name];
    const bytes = staging[i]!.getMappedRange().slice(0, 4 * lengthOf(operand));
    staging[i]!.destroy();
    return [name, operand instanceof Uint32Array ? new Uint32Array(bytes) : new Float32Array(bytes)];
  });
  return Object.fromEntries(contents);
}

/** Submits a run; the buffers it returns can be mapped to read the operands in the bindings' order. */
function submit<Shape, Name extends string>(
  device: GPUDevice,
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Operand>>,
): GPUBuffer[] {
  const compiled = compile(device, kernel, shape);
  const buffers = kernel.bindings.map(({ name, bytes }) => {
    const size = bytes(shape);
    requireFit(kernel.name, name, lengthOf(operands[name]), size / 4);
    return upload(device, operands[name], size);
  });
  const encoder = device.createCommandEncoder();
  const named = Object.fromEntries(kernel.bindings.map(({ name, access }, i) => {
    const buffer = buffers[i]!;
    return [name, access === "texture" ? throughTexture(device, encoder, buffer) : buffer];
  }));
  const pass = encoder.beginComputePass();
  compiled.bind(named as Record<Name, Place>)(pass);
  pass.end();
  const staging = buffers.map((buffer) => copyOut(device, encoder, buffer));
  device.queue.submit([encoder.finish()]);
  for (const buffer of buffers) buffer.destroy();
  return staging;
}

let shared: Promise<GPUDevice> | undefined;

function defaultDevice(): Promise<GPUDevice> {
  return shared ??= requestDevice();
}

async function requestDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error("there is no WebGPU adapter");
  return await adapter.requestDevice();
}

function lengthOf(operand: Operand): number {
  return typeof operand === "number" ? operand : operand.length;
}

function requireFit(kernel: string, name: string, length: number, capacity: number): void {
  if (length <= capacity) return;
  throw new RangeError(
    `${kernel}: operand ${name} has ${length} values; its binding has room for ${capacity}`,
  );
}

/** A buffer with an operand's values, and NaN where it has none. */
function upload(device: GPUDevice, operand: Operand, size: number): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size, usage, mappedAtCreation: true });
  const bytes = buffer.getMappedRange();
  new Float32Array(bytes).fill(NaN);
  if (operand instanceof Uint32Array) new Uint32Array(bytes).set(operand);
  else if (typeof operand !== "number") new Float32Array(bytes).set(operand);
  buffer.unmap();
  return buffer;
}

/** A texture with a buffer's bytes. */
function throughTexture(device: GPUDevice, encoder: GPUCommandEncoder, buffer: GPUBuffer): GPUTexture {
  const texture = createRows(device, textureRows(buffer.size));
  for (
    const { source, destination, size } of copiesToRows({ buffer, offset: 0, size: buffer.size }, texture)
  ) {
    encoder.copyBufferToTexture(source, destination, [...size]);
  }
  return texture;
}

function copyOut(device: GPUDevice, encoder: GPUCommandEncoder, source: GPUBuffer): GPUBuffer {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ size: source.size, usage });
  encoder.copyBufferToBuffer(source, 0, staging, 0, source.size);
  return staging;
}
