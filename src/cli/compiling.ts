import { compileAhead } from "../gpu/compile_ahead.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Plan } from "../gpu/plan.ts";
import type { LiveLine } from "./live_line.ts";

/** {@link compileAhead}, with a line if it takes a while. */
export async function compilePlan(gpu: Gpu, plan: Plan, line: LiveLine): Promise<void> {
  await compileAhead(gpu, plan, (programs) => {
    line.update(`compiling ${programs} shaders, which the driver keeps for the next time`);
  });
}
