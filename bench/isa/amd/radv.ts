/** AMD's GPUs by Mesa's RADV, which can compile for a GPU that is not there (null hardware). */

import type { GpuKind } from "../../../src/kernels/gpu_kind.ts";
import type { Captured } from "../capture/capture.ts";
import { driverFile } from "../drivers.ts";
import { kernelName } from "../names.ts";
import { compilePipelines, type Executable, statistic } from "../replay.ts";
import { ToolError, type Tools } from "../tools.ts";
import { type Mix, mixOf } from "./instructions.ts";
import { hotLoop } from "./loops.ts";
import { exposedWaits } from "./waits.ts";

/** A GPU that RADV compiles for. */
export interface AmdGpu {
  /** RADV's names for it. Mesa before 23 knows only the last. */
  readonly families: readonly string[];
  readonly architecture: string;
  /**
   * Most subgroups in a SIMD, in RADV's measure: of 32 invocations on RDNA, where a subgroup of 64 counts twice, and of
   * 64 on GCN and CDNA.
   */
  readonly subgroups: 32 | 10;
  readonly kind?: GpuKind;
}

/** The GPUs of the bench, by their names as arguments. */
export const amdGpus: Readonly<Record<string, AmdGpu>> = {
  gfx1200: { families: ["gfx1200"], architecture: "RDNA4", subgroups: 32 },
  navi31: { families: ["navi31", "gfx1100"], architecture: "RDNA3", subgroups: 32 },
  navi21: { families: ["navi21"], architecture: "RDNA2", subgroups: 32 },
  mi100: { families: ["mi100", "arcturus"], architecture: "CDNA", subgroups: 10, kind: "gcn" },
  vega10: { families: ["vega10"], architecture: "GCN 5", subgroups: 10, kind: "gcn" },
};

/** RADV's result for a kernel. */
export interface AmdKernel extends Mix {
  readonly kernel: string;
  /** Number in an iteration. */
  readonly dispatches: number;
  /** Invocations that run in step. */
  readonly subgroup: number;
  /** Vector registers of an invocation. The scalar ones do not limit how many run. */
  readonly registers: number;
  /** Registers of both kinds whose values are moved elsewhere in between. */
  readonly spilled: number;
  /** Bytes of memory for an invocation: for spilled registers, and for arrays that registers cannot hold. */
  readonly scratch: number;
  /** Bytes of workgroup memory. */
  readonly shared: number;
  /** Invocations that a SIMD holds at once, as a share of the most it can hold, from 0 to 1. */
  readonly occupancy: number;
  /**
   * Whether the counts of instructions are those of the loop that takes the time; else they are of all instructions.
   */
  readonly isLoop: boolean;
  /** See {@link exposedWaits}. */
  readonly exposedWaits: number;
}

/** A GPU's kernels. */
export interface AmdResult {
  /** Name and version of the driver. */
  readonly driver: string;
  readonly kernels: readonly AmdKernel[];
}

/**
 * Compiles captured pipelines for a GPU.
 * @param out a folder for the assembly
 * @returns nothing if this RADV does not know the GPU
 */
export async function compileForAmd(
  { replay }: Tools,
  captured: Captured,
  folder: string,
  out: string,
  gpu: AmdGpu,
): Promise<AmdResult | undefined> {
  for (const family of gpu.families) {
    try {
      const env = {
        RADV_FORCE_FAMILY: family,
        RADV_DEBUG: "nocache",
        VK_DRIVER_FILES: driverFile("radeon")!,
        XDG_RUNTIME_DIR: folder,
      };
      const { driver, executables } = await compilePipelines(replay, captured, folder, out, env);
      return { driver, kernels: await readKernels(captured, executables, out, gpu) };
    } catch (error) {
      if (!(error instanceof ToolError && /Unknown family/.test(error.message))) throw error;
    }
  }
  return undefined;
}

async function readKernels(
  { pipelines }: Captured,
  executables: readonly Executable[],
  out: string,
  { subgroups }: AmdGpu,
): Promise<AmdKernel[]> {
  const byNumber = new Map(executables.map((executable) => [executable.pipeline, executable]));
  return await Promise.all(pipelines.map(async (pipeline) => {
    const executable = byNumber.get(pipeline.number)!;
    const assembly = await Deno.readTextFile(`${out}/${pipeline.number}.0.Assembly.txt`);
    const lines = assembly.split("\n");
    const loop = hotLoop(lines);
    return {
      kernel: kernelName(pipeline),
      dispatches: pipeline.dispatches,
      subgroup: executable.subgroup,
      registers: statistic(executable, "VGPRs"),
      spilled: statistic(executable, "Spilled VGPRs") + statistic(executable, "Spilled SGPRs"),
      scratch: statistic(executable, "Scratch size"),
      shared: statistic(executable, "LDS size"),
      occupancy: statistic(executable, "Subgroups per SIMD") / subgroups,
      isLoop: loop !== undefined,
      ...mixOf(loop ?? lines),
      exposedWaits: exposedWaits(loop ?? lines, {
        isLoop: loop !== undefined,
        countsStores: subgroups === 10,
      }),
    };
  }));
}
