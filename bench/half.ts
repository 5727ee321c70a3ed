/**
 * Measures training iterations with values between layers in float32 and in float16, in turns in one process:
 * `deno run --allow-read bench/half.ts digits`.
 */

import { Gpu } from "../src/gpu/gpu.ts";
import type { ActivationType } from "../src/nn/wide_resnet.ts";
import { Context } from "../src/tensor/context.ts";
import { iterationsInTurns } from "./in_turns.ts";
import { prepareTrainer, type RunName, runNamed } from "./iteration_case.ts";

const [name] = Deno.args;
const run = await runNamed(name as RunName);
const gpu = await Gpu.request();
const trainer = (activations: ActivationType) =>
  prepareTrainer(new Context(gpu), { ...run, configuration: { ...run.configuration, activations } });
const line = await iterationsInTurns(name!, [
  ["float32", await trainer("float32")],
  ["float16", await trainer("float16")],
]);
Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
Deno.exit(0);
