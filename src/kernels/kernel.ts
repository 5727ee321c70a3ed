/**
 * What launching code sees of a compute kernel. A kernel with its WGSL text is all that another WebGPU application
 * needs: it depends on the standard WebGPU types alone.
 */

import type { AdapterKind } from "./gpu_kind.ts";
import type { Access } from "./bind_group_layout.ts";

/** One binding of `@group(0)`. Its `@binding` is its position in {@link Kernel.bindings}. */
export interface Binding<Shape, Name extends string = string> {
  readonly name: Name;
  /**
   * An operand that is read through a texture lies in one of format `rgba32float`, 1,024 texels wide, that holds the
   * bytes row by row (`copyBufferToTexture` with 16,384 bytes a row).
   */
  readonly access: Access;
  /**
   * The shader's alias for the type of the buffer's elements, if they may be stored in half precision: see `inHalf`.
   */
  readonly alias?: string;
  /** Whether the values are float16. A texture then has format `rgba16float` and rows of 8,192 bytes. */
  readonly half?: true;
  /** Bytes to bind for a shape. Kernels take lengths from `arrayLength`, so bind exactly this many. */
  readonly bytes: (shape: Shape) => number;
}

/**
 * Names and types of the values in a uniform buffer, in the order of the shader's structure `Shape`. A flag is a `u32`.
 */
export type Uniforms = Readonly<Record<string, "u32" | "f32">>;

/** A compute kernel: WGSL text, bindings, and functions that return the constants and workgroup counts for a shape. */
export interface Kernel<Shape, Name extends string = string> {
  /** Unique among the kernels, for labels and messages. Several kernels may share a shader. */
  readonly name: string;
  /** The shader, valid stand-alone WGSL. */
  readonly wgsl: string;
  /** Entry point, which may depend on the shape; `main` by default. */
  readonly entryPoint?: string | ((shape: Shape) => string);
  readonly bindings: readonly Binding<Shape, Name>[];
  /**
   * Values for the `override` constants and for {@link uniforms}. Throws a `RangeError` that names the limit if the
   * shape is not supported.
   */
  readonly constants: (shape: Shape) => Record<string, number>;
  /**
   * The constants that the shader takes from a uniform buffer instead, at {@link uniformBinding}. One pipeline then
   * serves many shapes, which helps where an adapter takes long to compile it.
   */
  readonly uniforms?: Uniforms;
  /** Arguments of `dispatchWorkgroups`. */
  readonly workgroups: (shape: Shape) => [number, number, number];
  /**
   * The same computation as it suits a kind of adapter better: in other tiles for a kind of GPU, and through textures
   * (nearly always) for software adapters, where that is several times as fast.
   */
  readonly variants?: Readonly<Partial<Record<AdapterKind, Kernel<Shape, Name>>>>;
}

/** The kernel's variant for a kind of adapter, or the kernel itself. */
export function suited<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  kind: AdapterKind | undefined,
): Kernel<Shape, Name> {
  return (kind && kernel.variants?.[kind]) ?? kernel;
}

/**
 * A kernel with a variant for software adapters, in the shader's entry point `throughTextures`. There, operands that it
 * only reads are textures unless the changes say otherwise.
 * @param changes other differences of the variant
 */
export function withTextures<Shape, Name extends string>(
  kernel: NoInfer<Kernel<Shape, Name>>,
  changes: NoInfer<Partial<Kernel<Shape, Name>>> = {},
): Kernel<Shape, Name> {
  const software: Kernel<Shape, Name> = {
    ...kernel,
    variants: {},
    name: `${kernel.name}_texture`,
    entryPoint: "throughTextures",
    bindings: kernel.bindings.map((binding) => ({
      ...binding,
      access: binding.access === "read" ? "texture" : binding.access,
    })),
    ...changes,
  };
  return { ...kernel, variants: { ...kernel.variants, software } };
}

/** The `@binding` of a kernel's uniform buffer: after the eight storage buffers that WebGPU guarantees. */
export const uniformBinding = 8;

/** A kernel's constants for a shape: those of the pipeline, and the contents of the uniform buffer if there is one. */
export function constantsOf<Shape, Name extends string>(
  { constants, uniforms }: Kernel<Shape, Name>,
  shape: Shape,
): { overrides: Record<string, number>; uniforms: Uint32Array<ArrayBuffer> | undefined } {
  const values = constants(shape);
  if (!uniforms) return { overrides: values, uniforms: undefined };
  const overrides = Object.entries(values).filter(([name]) => !(name in uniforms));
  return { overrides: Object.fromEntries(overrides), uniforms: uniformWords(uniforms, values) };
}

function uniformWords(uniforms: Uniforms, values: Record<string, number>): Uint32Array<ArrayBuffer> {
  const entries = Object.entries(uniforms);
  // Uniform buffers are bound in whole vectors.
  const words = new Uint32Array(bytes32(entries.length) / 4);
  const floats = new Float32Array(words.buffer);
  entries.forEach(([name, type], i) => (type === "f32" ? floats : words)[i] = values[name]!);
  return words;
}

/** Bytes of `count` 32-bit values, rounded up to whole `vec4`s. */
export function bytes32(count: number): number {
  return Math.ceil(count / 4) * 16;
}

/**
 * Most iterations of all loops of an invocation together. After these, Mesa 22's lavapipe ends every loop without an
 * error, and sums are silently wrong.
 */
export const mostLoopIterations = 65_535;

/** Most workgroups along one dimension that WebGPU guarantees. */
export const maximumWorkgroups = 65_535;

/**
 * Workgroup counts for `invocations` independent invocations in one dimension, folded into two when there are many.
 * The shader's index is `id.x + id.y * num_workgroups.x * workgroupSize`, to be checked against the length.
 */
export function foldWorkgroups(invocations: number, workgroupSize = 64): [number, number, number] {
  const groups = Math.max(1, Math.ceil(invocations / workgroupSize));
  const rows = Math.ceil(groups / maximumWorkgroups);
  return [Math.ceil(groups / rows), rows, 1];
}

/** Columns of a workgroup in kernels that sum together, as their shaders define them. */
const columnsTogether = 8;

/** Workgroups of kernels in which a workgroup sums a chunk of rows of eight columns (or vectors of four). */
export function foldSums(chunks: number, columns: number): [number, number, number] {
  return foldWorkgroups(chunks * Math.ceil(columns / columnsTogether), 1);
}

/** The entry point of a kernel for a shape. */
export function entryPointOf<Shape>({ entryPoint = "main" }: Kernel<Shape>, shape: Shape): string {
  return typeof entryPoint === "string" ? entryPoint : entryPoint(shape);
}

/** Throws a `RangeError` unless `condition`, which a kernel's shape must satisfy, holds. */
export function requireShape(condition: boolean, kernel: string, what: string): void {
  if (!condition) throw new RangeError(`${kernel}: ${what}`);
}
