/**
 * Everything that is compared, by name. TensorFlow.js and ONNX Runtime have no models here: ONNX Runtime's web build
 * computes no gradients, and TensorFlow.js's gradient with respect to the weight, which would dominate a model's time,
 * is itself among the operations (at the models' batch of 64 its loop over 65,536 pixels is cut short by Mesa 22's
 * lavapipe, so that its model's gradients would be wrong there). Whole iterations exist for this project and PyTorch.
 */

import type { RunName } from "../lib/iteration_case.ts";
import type { GradientCase } from "./gradient_case.ts";
import type { OperationCase } from "./operation_case.ts";

/** What is measured on several libraries. */
export type Benchmark =
  & {
    /** Unique name, which also selects it on the command line. */
    readonly name: string;
    /** Too much for a software adapter. */
    readonly gpuOnly: boolean;
  }
  & (
    | ({ readonly kind: "operation" } & OperationCase)
    | ({ readonly kind: "gradient" } & GradientCase)
    | { readonly kind: "iteration"; readonly run: RunName }
  );

const convolutions = [[16, 32], [64, 16], [128, 8], [160, 32], [320, 16], [640, 8]] as const;
const matrices = [512, 1024, 4096] as const;
/** The largest that a software adapter computes in reasonable time. */
const softwareLimits = { channels: 160, matrix: 1024 } as const;
const networks = [[10, 1], [28, 10]] as const;
const subjects = { parameters: "loss and gradient by parameters", images: "gradient by images" } as const;

function convolution(operation: "forward" | "input" | "weight", channels: number, size: number): Benchmark {
  const batch = 16;
  const what = operation === "forward" ? operation : `by ${operation}`;
  return {
    ...{ kind: "operation", operation, batch, channels, size },
    name: `conv 3×3 ${what}, ${batch} × ${channels} → ${channels} @ ${size}²`,
    gpuOnly: channels > softwareLimits.channels,
  };
}

function product(size: number): Benchmark {
  return {
    ...{ kind: "operation", operation: "matmul", batch: 1, channels: size, size },
    name: `matmul ${size}³`,
    gpuOnly: size > softwareLimits.matrix,
  };
}

function gradient(depth: number, width: number, subject: GradientCase["subject"]): Benchmark {
  const batch = 64;
  return {
    ...{ kind: "gradient", depth, width, batch, subject },
    name: `WRN-${depth}-${width} ${subjects[subject]}, batch ${batch}`,
    gpuOnly: depth > 10,
  };
}

/** All of them, from the smallest part to the whole. */
export const benchmarks: readonly Benchmark[] = [
  ...(["forward", "input", "weight"] as const).flatMap((operation) =>
    convolutions.map(([channels, size]) => convolution(operation, channels, size))
  ),
  ...matrices.map(product),
  ...networks.flatMap(([depth, width]) =>
    (["parameters", "images"] as const).map((subject) => gradient(depth, width, subject))
  ),
  ...networks.map(([depth, width]): Benchmark => ({
    kind: "iteration",
    run: `wrn-${depth}-${width}` as RunName,
    name: `SADA-JEM iteration of WRN-${depth}-${width}`,
    gpuOnly: depth > 10,
  })),
];

/** The benchmark with a name. */
export function benchmarkNamed(name: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (!found) throw new Error(`no benchmark is called ${name}`);
  return found;
}
