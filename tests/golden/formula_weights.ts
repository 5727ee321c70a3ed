/** The weights that the reference of Inception-v3 was computed with. The published ones are not part of the project. */

import { inceptionUnits } from "../../src/evaluate/inception_layout.ts";
import { crc32 } from "../../src/formats/archives/crc32.ts";
import type { NamedTensor } from "../../src/formats/safetensors.ts";

/** Weights of Inception-v3 as a state dict: each value is a hash of its place and its tensor's name. */
export function formulaWeights(): Map<string, NamedTensor> {
  const tensors = new Map<string, NamedTensor>();
  const add = (name: string, shape: readonly number[], value: (u: number) => number) => {
    const data = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
    const offset = crc32(new TextEncoder().encode(name));
    for (let i = 0; i < data.length; i++) data[i] = value(murmurFinaliser(i + offset) / 2 ** 32);
    tensors.set(name, { dtype: "F32", shape, data: new Uint8Array(data.buffer) });
  };
  const around = (bound: number) => (u: number) => (2 * u - 1) * bound;
  const scale = (u: number) => 0.75 + 0.5 * u;
  const shift = (u: number) => 0.2 * (u - 0.5);
  for (const { name, unit: { outChannels, kernel }, inChannels } of inceptionUnits()) {
    const fanIn = inChannels * kernel[0] * kernel[1];
    add(`${name}.conv.weight`, [outChannels, inChannels, ...kernel], around(Math.sqrt(6 / fanIn)));
    add(`${name}.bn.weight`, [outChannels], scale);
    add(`${name}.bn.bias`, [outChannels], shift);
    add(`${name}.bn.running_mean`, [outChannels], shift);
    add(`${name}.bn.running_var`, [outChannels], scale);
  }
  add("fc.weight", [1008, 2048], around(Math.sqrt(3 / 2048)));
  add("fc.bias", [1008], shift);
  return tensors;
}

/** The last steps of MurmurHash3, which mix the bits of a 32-bit number. */
function murmurFinaliser(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
