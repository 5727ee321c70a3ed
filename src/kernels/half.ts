import { type Binding, type Kernel, requireShape } from "./kernel.ts";

/** Variants that have been made, by the names of the operands in half precision. */
const made = new WeakMap<object, Map<string, unknown>>();

/**
 * A kernel with some of its operands stored as float16, in half the bytes; it still computes in float32. The device
 * must have the feature `shader-f16`. Values above 65,504 in magnitude become infinite in an operand that is written.
 * @param names operands that have a `Binding.alias`, or that are read through a texture, whose format is then
 *   `rgba16float`
 * @throws {RangeError} for any other operand.
 * @example
 * ```ts
 * import { add, inHalf, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const adapter = await navigator.gpu.requestAdapter();
 * if (adapter?.features.has("shader-f16")) {
 *   const addHalves = inHalf(add, ["first", "sum"]);
 *   const operands = { first: [2048, 1], second: [1, 1 / 4096], sum: 2 };
 *   const { sum } = await run(addHalves, { length: 2, factor: 1 }, operands);
 *   // The sums, 2049 and 1 + 2⁻¹², are rounded to 11 bits.
 *   assert.deepEqual([...sum], [2048, 1]);
 * }
 * ```
 */
export function inHalf<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  names: readonly Name[],
): Kernel<Shape, Name> {
  let variants = made.get(kernel);
  if (!variants) made.set(kernel, variants = new Map());
  const key = names.join();
  const known = variants.get(key);
  if (known) return known as Kernel<Shape, Name>;
  const variant = halved(kernel, names);
  variants.set(key, variant);
  return variant;
}

function halved<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  names: readonly Name[],
): Kernel<Shape, Name> {
  const aliases: string[] = [];
  const bindings = kernel.bindings.map((binding): Binding<Shape, Name> => {
    if (!names.includes(binding.name)) return binding;
    if (binding.access !== "texture") aliases.push(aliasOf(kernel, binding));
    return { ...binding, half: true, bytes: (shape) => binding.bytes(shape) / 2 };
  });
  return {
    ...kernel,
    bindings,
    ...(aliases.length > 0 && {
      name: `${kernel.name}_half_${aliases.join("_").toLowerCase()}`,
      wgsl: `enable f16;\n${aliases.reduce(halveAlias, kernel.wgsl)}`,
    }),
    variants: Object.fromEntries(
      Object.entries(kernel.variants ?? {}).map(([kind, variant]) => [kind, inHalf(variant, names)]),
    ),
  };
}

function aliasOf<Shape, Name extends string>(
  { name: kernel }: Kernel<Shape, Name>,
  { name, alias }: Binding<Shape, Name>,
): string {
  requireShape(alias !== undefined, kernel, `operand ${name} cannot be stored in half precision`);
  return alias!;
}

/** A shader in which the alias of `vec4f`, `vec2f` or `f32` stands for the same type in half precision. */
function halveAlias(wgsl: string, alias: string): string {
  const halved = wgsl
    .replace(new RegExp(`^alias ${alias} = vec([24])f;$`, "m"), `alias ${alias} = vec$1h;`)
    .replace(`alias ${alias} = f32;`, `alias ${alias} = f16;`);
  if (halved === wgsl) throw new Error(`the shader has no alias ${alias}`);
  return halved;
}
