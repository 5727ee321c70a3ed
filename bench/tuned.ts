/**
 * Measures training iterations with the default convolution kernels and with those of a table by `deno task tune`, in turns
 * in one process: `deno run --allow-read bench/tuned.ts digits tuning/<adapter>.json`.
 */

import { Gpu } from "../src/gpu/gpu.ts";
import { Context } from "../src/tensor/context.ts";
import { conv2dChooser } from "../src/tensor/operations/conv2d/table.ts";
import { readTuning } from "../src/train/tuning_file.ts";
import { iterationsInTurns } from "./in_turns.ts";
import { prepareTrainer, type RunName, runNamed } from "./iteration_case.ts";

const [name, path] = Deno.args;
const run = await runNamed(name as RunName);
const gpu = await Gpu.request();
const choose = conv2dChooser(await readTuning(path!, gpu));
const line = await iterationsInTurns(name!, [
  ["default", await prepareTrainer(new Context(gpu), run)],
  ["tuned", await prepareTrainer(new Context(gpu, { choose }), run)],
]);
Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
Deno.exit(0);
