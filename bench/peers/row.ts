/** The measurements of one benchmark, and what follows from them. */

import { runNamed } from "../lib/iteration_case.ts";
import { median } from "../lib/statistics.ts";
import type { Benchmark } from "./benchmarks.ts";
import {
  architectureOf,
  gradientDifference,
  type GradientResult,
  operationsPerImage,
} from "./gradient_case.ts";
import { iterationOperations, type IterationTimes, reportDifference } from "./iteration_case.ts";
import { leastBytesOf, type OperationResult, operationsOf } from "./operation_case.ts";
import type { PyTorch } from "./pytorch.ts";
import type { Result } from "./run.ts";
import type { Roof } from "./roof.ts";

/** A library that failed, and why. */
export interface Failure {
  readonly failure: string;
}

/** A library's result; null if it does not offer the benchmark. */
export type Measured = Result | Failure;

/** What a run of the bench writes. */
export interface PeerResults {
  readonly roof: Roof;
  readonly pyTorch: PyTorch | null;
  readonly rows: readonly Row[];
}

/** One benchmark on all libraries. */
export interface Row {
  readonly benchmark: Benchmark;
  /** Floating-point operations; for models, those of convolutions and linear layers. */
  readonly operations: number;
  /** Least number of bytes to move; null for models, where it depends on what is kept and what is fused. */
  readonly leastBytes: number | null;
  readonly measured: Readonly<Record<string, Measured>>;
  /**
   * Largest relative difference of each library's result: for an operation from float64, for models from this
   * project's, in losses and norms of gradients, or in the first iteration's report.
   */
  readonly differences: Readonly<Record<string, number>>;
}

/** A result that differs by this much is wrong, whatever its speed. */
const wrong = 1e-3;

/** The row of the measurements, this project's first. */
export async function rowOf(
  benchmark: Benchmark,
  measured: Readonly<Record<string, Measured>>,
): Promise<Row> {
  const results = Object.entries(measured).filter((entry): entry is [string, NonNullable<Result>] =>
    hasResult(entry[1])
  );
  const ours = results[0]![1];
  const differences = results.map(([library, result]) => [library, difference(benchmark, result, ours)]);
  return {
    benchmark,
    operations: await operationsIn(benchmark),
    leastBytes: benchmark.kind === "operation" ? leastBytesOf(benchmark) : null,
    measured,
    differences: Object.fromEntries(differences),
  };
}

/** Merges several turns into one, with the medians of their times. */
export function merge(turns: readonly Measured[]): Measured {
  const results = turns.filter(hasResult);
  if (results.length < turns.length) return turns.find((turn) => !hasResult(turn)) ?? null;
  return {
    ...results[0]!,
    median: median(results.map((result) => result.median)),
    first: median(results.map((result) => result.first)),
  };
}

/** Milliseconds of a library, and whether its result is right; undefined without a result. */
export function timeOf(
  { measured, differences }: Row,
  library: string,
): { milliseconds: number; right: boolean } | undefined {
  const result = measured[library] ?? null;
  if (!hasResult(result)) return undefined;
  return { milliseconds: result.median, right: differences[library]! < wrong };
}

/** The peers on WebGPU; PyTorch, which uses the vendors' libraries, is not one. */
export const webGpuPeers = ["TensorFlow.js", "jax-js", "ONNX Runtime"] as const;

/** How many times as long the best WebGPU peer takes, of those whose results are right; undefined without any. */
export function advantage(row: Row): number | undefined {
  const right = webGpuPeers.flatMap((name) => {
    const time = timeOf(row, name);
    return time?.right ? [time.milliseconds] : [];
  });
  return right.length === 0 ? undefined : Math.min(...right) / timeOf(row, "sada-jem")!.milliseconds;
}

/** How close this project comes to the most that the device can do. */
export function shares(row: Row, roof: Roof) {
  const { milliseconds } = timeOf(row, "sada-jem")!;
  const gigaflops = row.operations / milliseconds / 1e6;
  const gigabytes = row.leastBytes === null ? undefined : row.leastBytes / milliseconds / 1e6;
  return {
    gigaflops,
    ofPeak: gigaflops / roof.gigaflops,
    gigabytes,
    ofBandwidth: gigabytes === undefined ? undefined : gigabytes / roof.bandwidth,
  };
}

function hasResult(measured: Measured): measured is NonNullable<Result> {
  return measured !== null && !("failure" in measured);
}

async function operationsIn(benchmark: Benchmark): Promise<number> {
  if (benchmark.kind === "operation") return operationsOf(benchmark);
  if (benchmark.kind === "iteration") return iterationOperations(await runNamed(benchmark.run));
  return benchmark.batch * operationsPerImage(architectureOf(benchmark))[benchmark.subject];
}

function difference({ kind }: Benchmark, result: NonNullable<Result>, ours: NonNullable<Result>): number {
  if (kind === "operation") return (result as OperationResult).error;
  if (kind === "gradient") return gradientDifference(result as GradientResult, ours as GradientResult);
  return reportDifference(result as IterationTimes, ours as IterationTimes);
}
