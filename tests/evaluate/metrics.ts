/** The reference values of the evaluation's metrics. */

import { float32Of, numbersOf, parseSafetensors } from "../../src/formats/safetensors.ts";

const { tensors } = parseSafetensors(
  await Deno.readFile(new URL("../golden/data/metrics.safetensors", import.meta.url)),
);

/** A tensor as float32. */
export function goldenFloats(name: string): Float32Array<ArrayBuffer> {
  return float32Of(tensors.get(name)!);
}

/** A tensor as float64; exact for integers. */
export function goldenNumbers(name: string): Float64Array {
  return numbersOf(tensors.get(name)!);
}
