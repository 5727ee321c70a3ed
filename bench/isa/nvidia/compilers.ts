import { table } from "../../../src/cli/format.ts";
import { type Compiler, type CompilerInput, merged, mixCells, percent } from "../compiler.ts";
import { kernelName } from "../names.ts";
import { outputOf, ToolError } from "../tools.ts";
import { compileForNvidia, nvidiaGpus, type NvidiaKernel } from "./ptxas.ts";

/** Processes of nvcc that run at once. */
const processes = 2;

/** nvcc for each of {@link nvidiaGpus}. */
export const nvidiaCompilers: readonly Compiler[] = Object.entries(nvidiaGpus).map(([gpu, properties]) => ({
  gpu,
  kind: undefined,
  title: `${gpu} (NVIDIA ${properties.architecture})`,
  async compile(input) {
    const version = await outputOf("nvcc", ["--version"]);
    if (!version) return "nvcc is not installed; it is part of NVIDIA's CUDA toolkit";
    if (!await outputOf("spirv-cross", ["--help"])) {
      return "Debian's package is missing: apt-get install spirv-cross";
    }
    const { kernels, refused } = await compileAll(input, gpu);
    const [, release] = /release ([\d.]+)/.exec(version.output) ?? [];
    const note = refused.length > 0
      ? `\n\nleft out, as nvcc refuses the translation: ${refused.join(", ")}`
      : "";
    return { compiler: `nvcc ${release}`, kernels, table: nvidiaTable(kernels) + note };
  },
}));

/** Compiles one pipeline for each kernel name. Other differences hardly show, and a pipeline takes a second. */
async function compileAll(
  input: CompilerInput,
  gpu: string,
): Promise<{ kernels: readonly NvidiaKernel[]; refused: readonly string[] }> {
  const dispatches = new Map<string, number>();
  for (const pipeline of input.captured.pipelines) {
    const name = kernelName(pipeline);
    dispatches.set(name, (dispatches.get(name) ?? 0) + pipeline.dispatches);
  }
  const pending = [...new Map(input.captured.pipelines.map((one) => [kernelName(one), one])).values()];
  await Deno.mkdir(input.out, { recursive: true });
  const [kernels, refused]: [NvidiaKernel[], string[]] = [[], []];
  const worker = async () => {
    for (let pipeline = pending.shift(); pipeline; pipeline = pending.shift()) {
      const all = { ...pipeline, dispatches: dispatches.get(kernelName(pipeline))! };
      try {
        kernels.push(await compileForNvidia(input, all, gpu));
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        refused.push(kernelName(pipeline));
      }
    }
  };
  await Promise.all(Array.from({ length: processes }, worker));
  const order = [...dispatches.keys()];
  kernels.sort((a, b) => order.indexOf(a.kernel) - order.indexOf(b.kernel));
  return { kernels: merged(kernels), refused };
}

const header = [
  ...["kernel", "dispatches", "registers", "spilled", "scratch", "shared", "occupancy", "loop"],
  ...["instructions", "multiply-adds", "share", "each", "loads", "branches"],
];

function nvidiaTable(kernels: readonly NvidiaKernel[]): string {
  return table([
    header,
    ...kernels.map((kernel) => [
      kernel.kernel,
      ...[kernel.dispatches, kernel.registers, kernel.spilled, kernel.scratch, kernel.shared].map(String),
      `${percent(kernel.occupancy)} %`,
      kernel.isLoop ? "yes" : "no",
      ...mixCells(kernel),
      ...[kernel.loads, kernel.branches].map(String),
    ]),
  ]);
}
