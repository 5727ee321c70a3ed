/** Intel's GPUs by Mesa's ANV, on a substitute for their kernel driver. */

import { table } from "../../../src/cli/format.ts";
import { type Compiler, type CompilerInput, merged, mixCells } from "../compiler.ts";
import { driverFile } from "../drivers.ts";
import { kernelName } from "../names.ts";
import { compilePipelines, statistic } from "../replay.ts";
import { ToolError } from "../tools.ts";
import { type IntelMix, intelMix } from "./assembly.ts";
import { buildIntelReplay } from "./shim.ts";

/** The GPUs of the bench, by their names as arguments, which are the substitute's names. */
const gpus: Readonly<Record<string, string>> = { dg2: "Xe-HPG", lnl: "Xe2", tgl: "Xe-LP" };

/** ANV's result for a kernel. */
interface IntelKernel extends IntelMix {
  readonly kernel: string;
  /** Number in an iteration. */
  readonly dispatches: number;
  /** Invocations that a thread runs in step. */
  readonly subgroup: number;
  /**
   * Most registers that hold values at the same time. A thread has 128, each of a float for 8 invocations, or on Xe2
   * for 16.
   */
  readonly registers: number;
  /** Messages that write registers to memory, and those that read them back, for lack of registers. */
  readonly spilled: number;
  /** Bytes of memory for a thread. */
  readonly scratch: number;
  /** Bytes of workgroup memory. */
  readonly shared: number;
}

let replay: Promise<string> | undefined;

/** ANV for each of the GPUs. */
export const intelCompilers: readonly Compiler[] = Object.entries(gpus).map(([gpu, architecture]) => ({
  gpu,
  kind: "intel",
  title: `${gpu} (Intel ${architecture})`,
  async compile(input) {
    const driver = driverFile("intel");
    if (!driver) return "Debian's package is missing: apt-get install mesa-vulkan-drivers";
    try {
      replay ??= buildIntelReplay(input.tools.layerFolder);
      const { compiler, kernels } = await compileForIntel(await replay, driver, input, gpu);
      return { compiler, kernels, table: intelTable(kernels) };
    } catch (error) {
      if (error instanceof ToolError) return error.message;
      throw error;
    }
  },
}));

async function compileForIntel(
  replay: string,
  driver: string,
  { captured, folder, out }: CompilerInput,
  gpu: string,
): Promise<{ compiler: string; kernels: readonly IntelKernel[] }> {
  const env = { INTEL_STUB_GPU_PLATFORM: gpu, VK_DRIVER_FILES: driver, XDG_RUNTIME_DIR: folder };
  const { driver: compiler, executables } = await compilePipelines(replay, captured, folder, out, env);
  const byNumber = new Map(executables.map((executable) => [executable.pipeline, executable]));
  const kernels = await Promise.all(captured.pipelines.map(async (pipeline): Promise<IntelKernel> => {
    const executable = byNumber.get(pipeline.number)!;
    const assembly = await Deno.readTextFile(
      `${out}/${pipeline.number}.${executable.index}.GEN_Assembly.txt`,
    );
    return {
      kernel: kernelName(pipeline),
      dispatches: pipeline.dispatches,
      subgroup: executable.subgroup,
      registers: statistic(executable, "Max live registers"),
      spilled: statistic(executable, "Spill Count") + statistic(executable, "Fill Count"),
      scratch: statistic(executable, "Scratch Memory Size"),
      shared: statistic(executable, "Workgroup Memory Size"),
      ...intelMix(assembly.split("\n")),
    };
  }));
  return { compiler, kernels: merged(kernels) };
}

const header = [
  ...["kernel", "dispatches", "SIMD", "registers", "spilled", "scratch", "shared", "loop"],
  ...["instructions", "multiply-adds", "share", "each", "sends", "moves", "branches"],
];

function intelTable(kernels: readonly IntelKernel[]): string {
  return table([
    header,
    ...kernels.map((kernel) => [
      kernel.kernel,
      ...[kernel.dispatches, kernel.subgroup, kernel.registers, kernel.spilled, kernel.scratch].map(String),
      ...[String(kernel.shared), kernel.isLoop ? "yes" : "no"],
      ...mixCells(kernel),
      ...[kernel.sends, kernel.moves, kernel.branches].map(String),
    ]),
  ]);
}
