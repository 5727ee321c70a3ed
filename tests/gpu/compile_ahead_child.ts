/**
 * Runs a plan and prints what happened. The argument says whether to compile the plan ahead. This is a separate process
 * so that the driver's cache can begin empty.
 */

import { compileAhead } from "../../src/gpu/compile_ahead.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import { conv2d } from "../../src/tensor/operations/conv2d/operation.ts";
import { globalAveragePool } from "../../src/tensor/operations/global_average_pool.ts";
import { logSumExp } from "../../src/tensor/operations/log_sum_exp.ts";
import { values } from "../kernels/harness.ts";

/** What the process prints. */
export interface Outcome {
  readonly family: string;
  /** Programs that were compiled ahead. Zero if the cache had them, or if the adapter compiles earlier anyway. */
  readonly ahead: number;
  readonly pipelines: number;
  readonly results: readonly (readonly number[])[];
}

if (import.meta.main) {
  const gpu = await Gpu.request();
  const context = new Context(gpu);
  const x = context.from(values(2 * 8 * 8 * 4, 1), [2, 8, 8, 4]).disown();
  const weight = context.from(values(9 * 4 * 8, 2), [3, 3, 4, 8]).disown();
  const bias = context.from(values(8, 3), [8]).disown();
  const results = [1, 2].map(() => context.zeros([2]).disown());
  const plan = context.capture(() => {
    results.forEach((result, i) => {
      const convolved = conv2d(x, weight, bias, { stride: 1 + i, padding: 1 });
      result.copyFrom(logSumExp(globalAveragePool(convolved)));
    });
  });
  let ahead = 0;
  if (Deno.args[0] === "ahead") await compileAhead(gpu, plan, (programs) => ahead = programs);
  gpu.run(plan);
  const outcome: Outcome = {
    family: gpu.adapterFamily,
    ahead,
    pipelines: gpu.counters.pipelines,
    results: (await context.read(results)).map((result) => [...result]),
  };
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(outcome)));
  gpu.destroy();
}
