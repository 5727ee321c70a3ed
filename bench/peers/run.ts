/** Measures one benchmark on one library and prints JSON: `run.ts LIBRARY BENCHMARK [PYTHON]`. */

import { measureIterations } from "../lib/iteration.ts";
import { type Benchmark, benchmarkNamed } from "./benchmarks.ts";
import type { GradientCase, GradientResult } from "./gradient_case.ts";
import type { IterationTimes } from "./iteration_case.ts";
import { measureOperation, type OperationResult, type Prepare } from "./operation_case.ts";
import { PyTorchBenchmark, type PyTorchMode } from "./pytorch.ts";

/** The measurement; null if the library does not offer it. */
export type Result = OperationResult | GradientResult | IterationTimes | null;

/** A module is loaded when its library is measured. */
const operations: Readonly<Record<string, () => Promise<{ prepare: Prepare }>>> = {
  "sada-jem": () => import("./operation.ts"),
  "TensorFlow.js": () => import("./operation_tensorflow.ts"),
  "jax-js": () => import("./operation_jax.ts"),
  "ONNX Runtime": () => import("./operation_onnx.ts"),
};

type MeasureGradient = (benchmark: GradientCase) => Promise<GradientResult>;

const gradients: Readonly<Record<string, () => Promise<{ measureGradient: MeasureGradient }>>> = {
  "sada-jem": () => import("./gradient.ts"),
  "jax-js": () => import("./gradient_jax.ts"),
};

async function measure(library: string, benchmark: Benchmark): Promise<Result> {
  if (benchmark.kind === "operation") {
    return await measureOperation(benchmark, (await operations[library]!()).prepare);
  }
  if (benchmark.kind === "gradient") {
    const module = await gradients[library]?.();
    return await module?.measureGradient(benchmark) ?? null;
  }
  return library === "sada-jem" ? await measureIterations(benchmark.run) : null;
}

async function measureOnPyTorch(python: string, mode: PyTorchMode, benchmark: Benchmark): Promise<Result> {
  const pyTorch = new PyTorchBenchmark(python, mode);
  if (benchmark.kind === "operation") return await pyTorch.operation(benchmark);
  if (benchmark.kind === "gradient") return await pyTorch.gradient(benchmark);
  return await pyTorch.iteration(benchmark.run);
}

const [library, name, python] = Deno.args;
const benchmark = benchmarkNamed(name!);
const result = python === undefined
  ? await measure(library!, benchmark)
  : await measureOnPyTorch(python, library as PyTorchMode, benchmark);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(result)));
Deno.exit(0);
