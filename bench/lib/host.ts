import type { Command } from "../../src/gpu/command.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { Plan } from "../../src/gpu/plan.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { median } from "./statistics.ts";

const rounds = 15;

/**
 * Milliseconds that the host takes for an iteration: drawing its inputs, encoding and submitting its dispatches. A
 * submission to a software adapter also executes the work. So the recorded iteration is submitted with all of its
 * dispatches over zero workgroups, and without its copies.
 */
export async function hostTime(gpu: Gpu, trainer: Trainer): Promise<number> {
  const plan = withoutWork(trainer.plan!);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await gpu.device.queue.onSubmittedWorkDone();
    const start = performance.now();
    trainer.inputsOf(trainer.iteration + round);
    gpu.run(plan);
    times.push(performance.now() - start);
  }
  return median(times);
}

/** The same dispatches over zero workgroups, which do nothing, and nothing else. */
function withoutWork({ commands, pool, textures }: Plan): Plan {
  const idle = commands.flatMap((command): Command[] =>
    command.kind === "dispatch" ? [{ ...command, workgroups: [0, 0, 0] }] : []
  );
  return new Plan(idle, pool, textures);
}
