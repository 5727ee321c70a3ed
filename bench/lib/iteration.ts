/** Measures training iterations of one run in steady state: `iteration.ts NAME` prints JSON. */

import { type Counters, Gpu } from "../../src/gpu/gpu.ts";
import { type KernelTime, profile } from "../../src/gpu/profile.ts";
import { Context } from "../../src/tensor/context.ts";
import type { IterationReport } from "../../src/train/iteration/report.ts";
import { reportCapacity } from "../../src/train/iteration/reports.ts";
import { hostTime } from "./host.ts";
import { prepareTrainer, type RunName, runNamed } from "./iteration_case.ts";
import { type MemoryPart, memoryParts } from "./memory.ts";
import { timeCalls, type Times } from "./timing.ts";

/** The results of {@link measureIterations}. */
export interface IterationResult extends Times {
  readonly name: RunName;
  readonly adapter: string;
  readonly imagesPerSecond: number;
  /** Milliseconds of the host in an iteration; see {@link hostTime}. */
  readonly host: number;
  /** Per iteration. */
  readonly counts: Counters;
  readonly kernels: readonly KernelTime[];
  /** Bytes of GPU memory that training holds, by part. */
  readonly memory: Readonly<Record<MemoryPart, number>>;
  /** What the very first iteration reported. */
  readonly report: IterationReport;
}

/** Most rounds, and iterations of a round, whose reports are fetched at its end. */
const limits = { rounds: 20, mostCalls: reportCapacity } as const;

/** Times iterations of a run, and takes one apart. */
export async function measureIterations(name: RunName): Promise<IterationResult> {
  const run = await runNamed(name);
  const gpu = await Gpu.request();
  const trainer = await prepareTrainer(new Context(gpu), run);
  const start = performance.now();
  await trainer.advance();
  const [report] = await trainer.fetchReports();
  const first = performance.now() - start;

  const before = { ...gpu.counters };
  const began = trainer.iteration;
  const { median } = await timeCalls(
    async () => void await trainer.advance(),
    () => trainer.fetchReports(),
    limits,
  );
  const iterations = trainer.iteration - began;
  const counts = Object.fromEntries(
    Object.entries(gpu.counters).map(([name, count]) =>
      [name, (count - before[name as keyof Counters]) / iterations] as const
    ),
  ) as unknown as Counters;
  const { likelihoodBatch, labelledBatch } = run.configuration;
  return {
    ...{ name, adapter: gpu.adapterName, first, median },
    imagesPerSecond: 1000 * (likelihoodBatch + labelledBatch) / median,
    host: await hostTime(gpu, trainer),
    counts,
    kernels: await profile(gpu, trainer.plan!),
    memory: memoryParts(gpu, trainer),
    report: report!,
  };
}

if (import.meta.main) {
  const result = await measureIterations(Deno.args[0] as RunName);
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(result)));
  Deno.exit(0);
}
