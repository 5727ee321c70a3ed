/**
 * Measures the time of the digits preset from the start of the process to the report of its first iteration, in turns
 * with an empty cache of Mesa's (lavapipe's shaders compiled ahead, and one after another) and with a filled one: `deno
 * run --allow-read --allow-write --allow-run bench/programs/first_iteration.ts`. Prints medians.
 */

import { compileAhead } from "../../src/gpu/compile_ahead.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { runNamed } from "../lib/iteration_case.ts";
import { median } from "../lib/statistics.ts";

const rounds = 5;
const ways = ["ahead", "one after the other"] as const;

const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

/** Runs the first iteration, in a process of its own. */
async function child(way: string): Promise<void> {
  const { configuration, dataset } = await runNamed("digits");
  const gpu = await Gpu.request();
  const trainer = new Trainer(new Context(gpu), configuration, dataset);
  const plan = trainer.record();
  if (way === "ahead") await compileAhead(gpu, plan);
  await trainer.fillReplayBuffer();
  await trainer.advance();
  await trainer.fetchReports();
  Deno.exit(0);
}

/** Seconds of the process. */
async function measure(way: string, cache: string): Promise<number> {
  const began = performance.now();
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", import.meta.url, way],
    env: { MESA_SHADER_CACHE_DIR: cache },
    stderr: "null",
  }).output();
  if (!success) throw new Error(`the process failed: ${way}`);
  return (performance.now() - began) / 1000;
}

if (Deno.args[0]) await child(Deno.args[0]);
const times = ways.flatMap((way) =>
  ["empty", "filled"].map((cache) => ({ way, cache, seconds: [] as number[] }))
);
for (let round = 0; round < rounds; round++) {
  for (const way of ways) {
    const folder = await Deno.makeTempDir();
    for (const time of times.filter((time) => time.way === way)) {
      time.seconds.push(await measure(way, folder));
    }
    await Deno.remove(folder, { recursive: true });
  }
}
for (const { way, cache, seconds } of times) {
  const all = seconds.map((value) => value.toFixed(1)).join(" ");
  print(`compiling ${way}, cache ${cache}: ${median(seconds).toFixed(1)} s (${all})`);
}
