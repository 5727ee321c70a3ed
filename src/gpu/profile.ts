import { GpuError } from "../errors.ts";
import { encodeDispatch, encodeTransfer } from "./command.ts";
import type { Gpu } from "./gpu.ts";
import type { Plan } from "./plan.ts";
import { submitTimed } from "./timestamps.ts";

/** The time that the dispatches of one kernel took in a run of a plan. */
export interface KernelTime {
  readonly kernel: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

/** Most timestamps that a query set may hold. */
const queriesPerSet = 4096;

/**
 * Runs a plan once with a pass and two timestamps for each dispatch, and sums the times by kernel, longest first.
 * @throws {GpuError} if the device has no timestamp queries.
 */
export async function profile(gpu: Gpu, plan: Plan): Promise<KernelTime[]> {
  if (!gpu.device.features.has("timestamp-query")) throw new GpuError("this device has no timestamp queries");
  gpu.submit();
  const totals = new Map<string, { dispatches: number; milliseconds: number }>();
  const step = queriesPerSet / 2;
  for (let start = 0; start < plan.commands.length; start += step) {
    for (const [kernel, milliseconds] of await timePart(gpu, plan.commands.slice(start, start + step))) {
      const total = totals.get(kernel) ?? { dispatches: 0, milliseconds: 0 };
      total.dispatches++;
      total.milliseconds += milliseconds;
      totals.set(kernel, total);
    }
  }
  return [...totals].map(([kernel, total]) => ({ kernel, ...total }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

async function timePart(gpu: Gpu, commands: Plan["commands"]): Promise<[string, number][]> {
  const labels: string[] = [];
  const times = await submitTimed(gpu, queriesPerSet, (encoder, querySet) => {
    for (const command of commands) {
      if (command.kind !== "dispatch") {
        encodeTransfer(encoder, command);
        continue;
      }
      const first = 2 * labels.length;
      labels.push(command.program.name);
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 },
      });
      encodeDispatch(pass, command);
      pass.end();
    }
    return 2 * labels.length;
  });
  return labels.map((label, i) => [label, times[2 * i + 1]! - times[2 * i]!]);
}
