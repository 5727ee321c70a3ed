/** Prints the GPU memory of training the published network with the published batches, by part: `[float16]`. */

import { publishedMemory } from "../lib/published_memory.ts";

const parts = Object.entries(await publishedMemory(Deno.args[0] === "float16" ? "float16" : "float32"));
const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
for (const [name, bytes] of [...parts, ["all", total] as const]) {
  Deno.stdout.writeSync(new TextEncoder().encode(`${name}: ${(bytes / 1e6).toFixed(0)} MB\n`));
}
