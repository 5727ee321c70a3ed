/** Prints the GPU memory of training the published network with the published batches, by use: `[float16]`. */

import { print, UsageError } from "../../src/cli/command.ts";
import { activationTypes } from "../../src/nn/wide_resnet.ts";
import { bench } from "../lib/bench.ts";
import { publishedMemory } from "../lib/published_memory.ts";

await bench("published_memory", async ([type = "float32"]) => {
  const activations = activationTypes.find((name) => name === type);
  if (!activations) {
    throw new UsageError(`the argument is one of ${activationTypes.join(", ")}, not "${type}"`);
  }
  const parts = Object.entries(await publishedMemory(activations));
  const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
  for (const [name, bytes] of [...parts, ["all", total] as const]) {
    print(`${name}: ${(bytes / 1e6).toFixed(0)} MB`);
  }
});
