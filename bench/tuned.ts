/**
 * Measures training iterations with the default convolution kernels and with those of a table by `deno task tune`, in turns
 * in one process: `deno run --allow-read bench/tuned.ts digits tuning/<adapter>.json`.
 */

import { Gpu } from "../src/gpu/gpu.ts";
import { Context } from "../src/tensor/context.ts";
import { conv2dChooser } from "../src/tensor/operations/conv2d_table.ts";
import { readTuning } from "../src/train/tuning_file.ts";
import { prepareTrainer, type RunName, runNamed } from "./iteration_case.ts";
import { median } from "./statistics.ts";

const iterations = 40;

const [name, path] = Deno.args;
const run = await runNamed(name as RunName);
const gpu = await Gpu.request();
const table = await readTuning(path!, gpu);
const trainers = await Promise.all([undefined, conv2dChooser(table)].map(async (choose) => {
  const trainer = await prepareTrainer(new Context(gpu, { choose }), run);
  for (let i = 0; i < 2; i++) trainer.advance();
  await trainer.fetchReports();
  return { trainer, times: [] as number[] };
}));
for (let i = 0; i < iterations; i++) {
  for (const { trainer, times } of trainers) {
    const start = performance.now();
    trainer.advance();
    await trainer.fetchReports();
    times.push(performance.now() - start);
  }
}
const [before, after] = trainers.map(({ times }) => ({ median: median(times), fastest: Math.min(...times) }));
const ratios = trainers[0]!.times.map((time, i) => time / trainers[1]!.times[i]!);
const show = (what: "median" | "fastest") =>
  `${what} ${before![what].toFixed(1)} and ${after![what].toFixed(1)} ms`;
const line = `${name}, ${iterations} iterations, default and tuned in turns on ${gpu.adapterName}: ` +
  `${show("median")}, ${show("fastest")}, ` +
  `default / tuned by the median of neighbours ${median(ratios).toFixed(3)}\n`;
Deno.stdout.writeSync(new TextEncoder().encode(line));
Deno.exit(0);
