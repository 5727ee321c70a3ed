import { compile, type Place } from "./compile.ts";
import type { Binding, Kernel } from "./kernel.ts";
import { copiesToRows, createRows, rowsFormat, textureRows } from "./texture_rows.ts";

/**
 * Values of an operand; or, for an operand that a kernel only writes, the number of its values. Values are rounded
 * where the kernel takes them in half precision.
 */
export type Operand = Float32Array | Uint32Array | readonly number[] | number;

/** The contents of all operands after a run, as float32 unless they were given as a `Uint32Array`. */
export type Contents<Operands> = {
  -readonly [Name in keyof Operands]: Operands[Name] extends Uint32Array ? Uint32Array<ArrayBuffer>
    : Float32Array<ArrayBuffer>;
};

/**
 * Runs a kernel once on values of the host and reads all operands back: to try a kernel out, and to test it. Programs
 * that keep their data on the GPU use `compile`.
 *
 * Operands of which only the number is given, and the part of a binding beyond its operand, start as NaN. A value that
 * the kernel should have written, or should not have read, then shows.
 * @param device by default one that all calls share, with WebGPU's default limits, and with float16 if the adapter has
 *   it
 * @throws {RangeError} if the kernel does not support the shape, or an operand is missing or has more values
 *   than the shape allows.
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
  const contents = kernel.bindings.map((binding, i) => {
    const operand = operands[binding.name];
    const bytes = staging[i]!.getMappedRange().slice(0, elementBytes(binding) * lengthOf(operand));
    staging[i]!.destroy();
    if (operand instanceof Uint32Array) return [binding.name, new Uint32Array(bytes)];
    return [binding.name, binding.half ? new Float32Array(new Float16Array(bytes)) : new Float32Array(bytes)];
  });
  return Object.fromEntries(contents);
}

/** Submits a run. The buffers it returns can be mapped to read the operands, in the bindings' order. */
function submit<Shape, Name extends string>(
  device: GPUDevice,
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Operand>>,
): GPUBuffer[] {
  const compiled = compile(device, kernel, shape);
  const buffers = kernel.bindings.map((binding) => {
    const { name, bytes } = binding;
    const size = bytes(shape);
    requireFit(kernel.name, name, operands[name], size / elementBytes(binding));
    return upload(device, binding, operands[name], size);
  });
  const encoder = device.createCommandEncoder();
  const named = Object.fromEntries(kernel.bindings.map((binding, i) => {
    const buffer = buffers[i]!;
    const place = binding.access === "texture" ? throughTexture(device, encoder, binding, buffer) : buffer;
    return [binding.name, place];
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
  const halves = "shader-f16";
  return await adapter.requestDevice({ requiredFeatures: adapter.features.has(halves) ? [halves] : [] });
}

/** The parts of a binding that say how its values are stored. */
type Storage = Pick<Binding<never>, "half">;

function elementBytes({ half }: Storage): number {
  return half ? 2 : 4;
}

function lengthOf(operand: Operand): number {
  return typeof operand === "number" ? operand : operand.length;
}

/** Refuses an operand that its binding has no room for, or that is missing, as it can be in JavaScript. */
function requireFit(kernel: string, name: string, operand: Operand | undefined, capacity: number): void {
  if (operand === undefined) throw new RangeError(`${kernel}: operand ${name} is missing`);
  const length = lengthOf(operand);
  if (length <= capacity) return;
  throw new RangeError(
    `${kernel}: operand ${name} has ${length} values; its binding has room for ${capacity}`,
  );
}

/** A buffer with an operand's values, and NaN where it has none. */
function upload(device: GPUDevice, { half }: Storage, operand: Operand, size: number): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size, usage, mappedAtCreation: true });
  const bytes = buffer.getMappedRange();
  const numbers = half ? new Float16Array(bytes) : new Float32Array(bytes);
  numbers.fill(NaN);
  if (operand instanceof Uint32Array) new Uint32Array(bytes).set(operand);
  else if (typeof operand !== "number") numbers.set(operand);
  buffer.unmap();
  return buffer;
}

/** A texture with a buffer's bytes. */
function throughTexture(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  storage: Storage,
  buffer: GPUBuffer,
): GPUTexture {
  const format = rowsFormat(storage);
  const texture = createRows(device, textureRows(buffer.size, format), format);
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
