/**
 * NVIDIA's GPUs by nvcc and its ptxas, the compiler of CUDA. NVIDIA's drivers use the same back end behind another
 * front end, so the numbers show orders of magnitude. Accesses are not checked against the buffers' sizes here, as they
 * are in WebGPU.
 */

import { fileURLToPath } from "node:url";
import type { RecordedPipeline } from "../capture/record.ts";
import type { CompilerInput } from "../compiler.ts";
import { kernelName } from "../names.ts";
import { outputOf, ToolError } from "../tools.ts";
import { toCuda } from "./cuda.ts";
import { type SassMix, sassMix } from "./sass.ts";

/** What a GPU's multiprocessor holds. */
export interface NvidiaGpu {
  readonly architecture: string;
  /** Most warps, of 32 invocations each, and most workgroups. */
  readonly warps: number;
  readonly workgroups: number;
  /** Bytes of workgroup memory. */
  readonly shared: number;
}

/** The GPUs of the bench, by their names as arguments, which are nvcc's. */
export const nvidiaGpus: Readonly<Record<string, NvidiaGpu>> = {
  sm_90: { architecture: "Hopper", warps: 64, workgroups: 32, shared: 228 * 1024 },
};

/** The result of ptxas for a kernel. */
export interface NvidiaKernel extends SassMix {
  readonly kernel: string;
  /** Number in an iteration. */
  readonly dispatches: number;
  /** Registers of an invocation. */
  readonly registers: number;
  /** Bytes of an invocation that are written to memory and read back for lack of registers. */
  readonly spilled: number;
  /** Bytes of an invocation on the stack. */
  readonly scratch: number;
  /** Bytes of workgroup memory. */
  readonly shared: number;
  /** Warps that a multiprocessor holds at once, as a share of the most it can hold, from 0 to 1. */
  readonly occupancy: number;
}

const headers = fileURLToPath(new URL("../c", import.meta.url));

/** @throws {ToolError} if SPIRV-Cross or nvcc refuses the kernel. */
export async function compileForNvidia(
  { folder, out }: Pick<CompilerInput, "folder" | "out">,
  pipeline: RecordedPipeline,
  gpu: string,
): Promise<NvidiaKernel> {
  const file = (ending: string) => `${out}/${pipeline.number}.${ending}`;
  const description = await Deno.readTextFile(`${folder}/${pipeline.number}.txt`);
  const [, entry] = /^entry (\S+)$/m.exec(description)!;
  const glsl = await run("spirv-cross", [
    `${folder}/${pipeline.number}.spv`,
    ...["--vulkan-semantics", "--entry", entry!, "--stage", "comp"],
  ]);
  const { text, threads } = toCuda(glsl.output);
  await Deno.writeTextFile(file("cu"), text);
  const { errors } = await run("nvcc", [
    ...["-std=c++20", "-w", `-arch=${gpu}`, "-cubin", "-Xptxas", "-v", `-I${headers}`],
    ...["-o", file("cubin"), file("cu")],
  ]);
  const said = (pattern: RegExp) => Number(pattern.exec(errors)?.[1] ?? 0);
  const registers = said(/Used (\d+) registers/);
  const shared = said(/(\d+) bytes smem/);
  return {
    kernel: kernelName(pipeline),
    dispatches: pipeline.dispatches,
    registers,
    spilled: said(/(\d+) bytes spill stores/) + said(/(\d+) bytes spill loads/),
    scratch: said(/(\d+) bytes stack frame/),
    shared,
    occupancy: occupancy(nvidiaGpus[gpu]!, threads, registers, shared),
    ...sassMix(await Deno.readFile(file("cubin"))),
  };
}

async function run(program: string, args: readonly string[]) {
  const result = await outputOf(program, args);
  if (!result) throw new ToolError(`${program} is not installed`);
  if (!result.success) throw new ToolError(`${program} cannot compile ${args.at(-1)}: ${result.errors}`);
  return result;
}

/** Registers of a multiprocessor, and the unit in which a warp gets them. */
const allRegisters = 65536;
const registerUnit = 256;
/** Bytes of each workgroup's memory that CUDA keeps for itself. */
const reservedShared = 1024;

/** Follows from the registers and the workgroup memory of a workgroup, as in CUDA's occupancy calculator. */
export function occupancy(gpu: NvidiaGpu, threads: number, registers: number, shared: number): number {
  const warps = Math.ceil(threads / 32);
  const ofWarp = Math.ceil(32 * registers / registerUnit) * registerUnit;
  const workgroups = Math.min(
    gpu.workgroups,
    Math.floor(gpu.warps / warps),
    Math.floor(Math.floor(allRegisters / ofWarp) / warps),
    Math.floor(gpu.shared / (shared + reservedShared)),
  );
  return workgroups * warps / gpu.warps;
}
