import { encodeCommands, encodeDispatch } from "./command.ts";
import type { Gpu } from "./gpu.ts";
import { Plan } from "./plan.ts";
import { submitTimed } from "./timestamps.ts";

/** Commands of a plan, from `start` to before `end`. The last one is a dispatch. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** How time is measured: by the device, or by the host's clock, which also counts submission and waiting. */
export type Clock = "timestamps" | "host";

/** The better of a device's clocks. */
export function clockOf({ device }: Gpu): Clock {
  return device.features.has("timestamp-query") ? "timestamps" : "host";
}

/** How long to measure: until both have been reached. */
export interface Effort {
  readonly rounds: number;
  readonly milliseconds: number;
}

/**
 * Runs parts of a plan in turns, so that whatever else happens on the machine affects all of them alike.
 * @returns the milliseconds of each part in each round, `[round][part]`
 */
export async function timeInTurns(
  gpu: Gpu,
  plan: Plan,
  parts: readonly Part[],
  { rounds, milliseconds }: Effort,
  clock: Clock = clockOf(gpu),
): Promise<number[][]> {
  const times: number[][] = [];
  gpu.submit();
  const began = performance.now();
  while (times.length < rounds || performance.now() - began < milliseconds) {
    times.push(await (clock === "timestamps" ? byTimestamps : byHost)(gpu, plan, parts));
  }
  return times;
}

/** The last part runs once beforehand, because a part's time runs from the end of the one before to its own end. */
async function byTimestamps(gpu: Gpu, { commands }: Plan, parts: readonly Part[]): Promise<number[]> {
  const ends = await submitTimed(gpu, parts.length + 1, (encoder, querySet) => {
    for (const [i, { start, end }] of [...parts.slice(-1), ...parts].entries()) {
      encodeCommands(encoder, commands.slice(start, end - 1));
      const last = commands[end - 1];
      if (last?.kind !== "dispatch") throw new Error("a part that is timed must end with a dispatch");
      const pass = encoder.beginComputePass({ timestampWrites: { querySet, endOfPassWriteIndex: i } });
      encodeDispatch(pass, last);
      pass.end();
    }
    return parts.length + 1;
  });
  return parts.map((_, i) => ends[i + 1]! - ends[i]!);
}

async function byHost(gpu: Gpu, plan: Plan, parts: readonly Part[]): Promise<number[]> {
  const times: number[] = [];
  for (const { start, end } of parts) {
    const began = performance.now();
    gpu.run(new Plan(plan.commands.slice(start, end), plan.pool, plan.textures));
    await gpu.read([]);
    times.push(performance.now() - began);
  }
  return times;
}
