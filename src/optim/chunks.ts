import type { Tensor } from "../tensor/tensor.ts";

/**
 * Calls `visit` with matching slices of flat vectors, each at most as long as one binding may be: WRN-28-10's 146 MB
 * of parameters exceed the 128 MiB that WebGPU guarantees.
 * @param length elements to visit, from the start of each vector
 */
export function forEachChunk<Name extends string>(
  vectors: Readonly<Record<Name, Tensor>>,
  length: number,
  visit: (chunk: Record<Name, Tensor>, length: number) => void,
): void {
  const names = Object.keys(vectors) as Name[];
  const { limits } = vectors[names[0]!].context.gpu.device;
  const largest = Math.floor(limits.maxStorageBufferBindingSize / 256) * 64;
  for (let start = 0; start < length; start += largest) {
    const size = Math.min(largest, length - start);
    const chunk = Object.fromEntries(
      names.map((name) => [name, vectors[name].slice(start, [size])]),
    ) as Record<Name, Tensor>;
    visit(chunk, size);
    for (const name of names) chunk[name].dispose();
  }
}
