/** Measures training iterations of one preset in the steady state; prints JSON. */

import type { Dataset, ImageSet } from "../src/data/dataset.ts";
import { loadDataset } from "../src/data/load.ts";
import { type Counters, Gpu } from "../src/gpu/gpu.ts";
import type { KernelTime } from "../src/gpu/profile.ts";
import { Context } from "../src/tensor/context.ts";
import { type Configuration, parseConfiguration } from "../src/train/configuration.ts";
import { preset } from "../src/train/presets.ts";
import { Trainer } from "../src/train/trainer.ts";
import { median } from "./statistics.ts";

/** What {@link iterations} measures. */
export interface IterationResult {
  readonly name: string;
  readonly adapter: string;
  /** Milliseconds of an iteration, waiting for each. */
  readonly median: number;
  readonly imagesPerSecond: number;
  /** Milliseconds of an iteration on the host: filling the inputs, encoding, submitting. */
  readonly host: number;
  /** Per iteration. */
  readonly counts: Counters;
  readonly kernels: readonly KernelTime[];
  /** GPU memory that the recorded iteration holds. */
  readonly megabytes: number;
}

/** Images of random bytes: speed does not depend on what they show. */
function noise(count: number): ImageSet {
  const bytes = new Uint8Array(count * 3072);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2654435761) >>> 24;
  return { bytes, labels: Uint32Array.from({ length: count }, (_, i) => i % 10), count };
}

const wide: Dataset = {
  name: "noise",
  height: 32,
  width: 32,
  channels: 3,
  maximum: 255,
  classNames: [..."0123456789"],
  train: noise(1000),
  test: noise(10),
  augmentation: { padding: 4, flip: true },
};

/** What can be measured, by name. */
export const cases: Record<string, () => Promise<{ configuration: Configuration; dataset: Dataset }>> = {
  "digits": async () => ({ configuration: preset("digits"), dataset: await loadDataset({ name: "digits" }) }),
  "wrn-10-1": () =>
    Promise.resolve({
      configuration: parseConfiguration({ depth: 10, width: 1, labelledBatch: 64, bufferSize: 500 }),
      dataset: wide,
    }),
};

async function iterations(name: string): Promise<IterationResult> {
  const { configuration, dataset } = await cases[name]!();
  const gpu = await Gpu.request();
  const trainer = new Trainer(new Context(gpu), configuration, dataset);
  await trainer.fillReplayBuffer();
  for (let i = 0; i < 2; i++) trainer.advance();
  await trainer.fetchReports();

  const before = { ...gpu.counters };
  const times: number[] = [];
  const hostTimes: number[] = [];
  const began = performance.now();
  while (times.length < 5 || (times.length < 50 && performance.now() - began < 20_000)) {
    const start = performance.now();
    trainer.advance();
    hostTimes.push(performance.now() - start);
    await trainer.fetchReports();
    times.push(performance.now() - start);
  }
  const counts = Object.fromEntries(
    Object.entries(gpu.counters).map((
      [key, value],
    ) => [key, (value - before[key as keyof Counters]) / times.length]),
  ) as unknown as Counters;
  const { likelihoodBatch, labelledBatch } = configuration;
  return {
    name,
    adapter: gpu.adapterName,
    median: median(times),
    imagesPerSecond: 1000 * (likelihoodBatch + labelledBatch) / median(times),
    host: median(hostTimes),
    counts,
    kernels: await trainer.profile(),
    megabytes: trainer.planBytes / 1e6,
  };
}

if (import.meta.main) {
  const result = await iterations(Deno.args[0]!);
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(result)));
  Deno.exit(0);
}
