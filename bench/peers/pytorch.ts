/**
 * PyTorch, which is not a WebGPU library: what the same machine does with the vendors' own libraries. On a CUDA GPU it
 * runs with and without TF32 (products of 10-bit mantissas in the matrix units), else on all CPU cores. OMP_NUM_THREADS
 * sets another number of threads.
 */

import { fileURLToPath } from "node:url";
import { float32Of, parseSafetensors, serializeSafetensors } from "../../src/formats/safetensors.ts";
import type { HostTensor } from "../../src/formats/pytorch/layout.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { readModel } from "../../src/nn/state_dict.ts";
import { Context } from "../../src/tensor/context.ts";
import { pythonWith, runPython } from "../../tests/python.ts";
import { prepareTrainer, type Run, type RunName, runNamed } from "../lib/iteration_case.ts";
import { type Times, timing } from "../lib/timing.ts";
import { architectureOf, type GradientCase, type GradientResult, inputsOf, norm } from "./gradient_case.ts";
import { firstBatches, type IterationTimes, reportOf } from "./iteration_case.ts";
import {
  errorOf,
  type Operands,
  operandsOf,
  type OperationCase,
  type OperationResult,
} from "./operation_case.ts";
import { initialParameters, trainedParameters } from "./parameters.ts";

/** PyTorch where it is installed. */
export interface PyTorch {
  /** The Python that has it. */
  readonly python: string;
  readonly version: string;
  /** The name of the CUDA GPU; null if there is none. */
  readonly gpu: string | null;
}

/** The ways in which PyTorch is measured. */
export const pyTorchModes = {
  "PyTorch CPU": { device: "cpu", tf32: false },
  "PyTorch CUDA": { device: "cuda", tf32: false },
  "PyTorch CUDA TF32": { device: "cuda", tf32: true },
} as const;

/** One of {@link pyTorchModes}. */
export type PyTorchMode = keyof typeof pyTorchModes;

interface PyTorchTimes extends Times {
  /** CPU threads. */
  readonly threads: number;
}

/** Looks for PyTorch. */
export async function findPyTorch(): Promise<PyTorch | undefined> {
  const python = await pythonWith("torch");
  if (python === undefined) return undefined;
  const script = `
import json, torch
gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
print(json.dumps({"version": torch.__version__, "gpu": gpu}))`;
  return { python, ...JSON.parse(await runPython(python, script)) };
}

/** Takes measurements with one Python in one mode, each in its own process. */
export class PyTorchBenchmark {
  constructor(readonly python: string, readonly mode: PyTorchMode) {}

  /** Times an operation and checks its result. */
  async operation(benchmark: OperationCase): Promise<OperationResult> {
    const operands = operandsOf(benchmark);
    const { operation, batch, channels, size } = benchmark;
    const images = [batch, size, size, channels];
    const shapes: readonly (readonly [keyof Operands, readonly number[]])[] = operation === "matmul"
      ? [["input", [size, size]], ["weight", [size, size]]]
      : [["input", images], ["weight", [3, 3, channels, channels]], ["outputGradient", images]];
    const given = shapes.map(([name, shape]) => [name, { shape, data: operands[name] }] as const);
    const { times, results } = await this.#run(new Map(given), { kind: "operation", operation });
    return { ...times, error: errorOf(benchmark, operands, results.get("result")!) };
  }

  /** Times a gradient. */
  async gradient(benchmark: GradientCase): Promise<GradientResult> {
    const { images, labels } = inputsOf(benchmark);
    const { batch, subject } = benchmark;
    const { depth, width, classes } = architectureOf(benchmark);
    const given = await initialParameters(architectureOf(benchmark));
    given.set("images", { shape: [batch, 32, 32, 3], data: images });
    given.set("labels", { shape: [batch], data: Float32Array.from(labels) });
    const { times, results } = await this.#run(given, { kind: "gradient", subject, depth, width, classes });
    const [loss] = results.get("loss")!;
    results.delete("loss");
    return {
      ...times,
      loss: loss!,
      norms: Object.fromEntries([...results].map(([name, data]) => [name, norm(data)])),
    };
  }

  /** Times iterations, from the parameters and images of the run's first. */
  async iteration(name: RunName): Promise<IterationTimes> {
    const run = await runNamed(name);
    const given = await firstIteration(run);
    const { configuration, dataset } = run;
    const { depth, width, rho } = configuration;
    const options = { ...configuration, adaptive: configuration.adaptive ?? rho >= 0.5 };
    const { times, results } = await this.#run(given, {
      ...{ kind: "iteration", depth, width, classes: dataset.classNames.length, options },
    });
    return { ...times, report: reportOf((field) => results.get(field)?.[0]) };
  }

  /** Gives tensors to `measure.py` and takes back the result of the first call, and the times. */
  async #run(
    tensors: ReadonlyMap<string, HostTensor>,
    request: Readonly<Record<string, unknown>>,
  ): Promise<{ times: PyTorchTimes; results: Map<string, Float32Array> }> {
    const script = fileURLToPath(new URL("pytorch/measure.py", import.meta.url));
    const child = new Deno.Command(this.python, {
      args: ["-B", script],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const whole = { ...request, ...pyTorchModes[this.mode], timing };
    const given = [...tensors].map(([name, { shape, data }]) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [name, { dtype: "F32", shape, data: bytes }] as const;
    });
    const [{ success, stdout, stderr }] = await Promise.all([
      child.output(),
      writer.write(serializeSafetensors(new Map(given), { request: JSON.stringify(whole) }))
        .then(() => writer.close()),
    ]);
    if (!success) throw new Error(`${script}: ${new TextDecoder().decode(stderr)}`);
    const { tensors: results, metadata } = parseSafetensors(stdout);
    return {
      times: JSON.parse(metadata["result"]!),
      results: new Map([...results].map(([name, tensor]) => [name, float32Of(tensor)])),
    };
  }
}

/** The parameters and images of a run's first iteration. */
async function firstIteration(run: Run): Promise<Map<string, HostTensor>> {
  const gpu = await Gpu.request();
  const context = new Context(gpu);
  const trainer = await prepareTrainer(context, run);
  const given = trainedParameters(await readModel(trainer.model));
  for (const [name, tensor] of Object.entries(firstBatches(context, trainer, run))) {
    given.set(name, { shape: tensor.shape, data: await tensor.read() });
  }
  const { labels } = trainer.inputsOf(0);
  given.set("labels", { shape: [labels.length], data: Float32Array.from(labels) });
  gpu.destroy();
  return given;
}
