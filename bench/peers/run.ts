/** Measures one case on one library and prints JSON: `run.ts LIBRARY OPERATION BATCH CHANNELS SIZE`. */

import { measure, operandsOf, parseCase, type Prepare } from "./case.ts";

const libraries: Readonly<Record<string, () => Promise<{ prepare: Prepare }>>> = {
  "sada-jem": () => import("./sada_jem.ts"),
  "TensorFlow.js": () => import("./tensorflow.ts"),
  "jax-js": () => import("./jax.ts"),
  "ONNX Runtime": () => import("./onnx.ts"),
};

const [library, ...words] = Deno.args;
const { prepare } = await libraries[library!]!();
const benchmark = parseCase(words);
const operands = operandsOf(benchmark);
const prepared = await prepare(benchmark, operands);
const result = prepared && await measure(benchmark, operands, prepared);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(result ?? null)));
Deno.exit(0);
