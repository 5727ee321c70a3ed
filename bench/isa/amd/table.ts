import { table } from "../../../src/cli/format.ts";
import { mixCells, percent } from "../compiler.ts";
import type { AmdKernel } from "./radv.ts";

const header = [
  ...["kernel", "dispatches", "wave", "registers", "spilled", "scratch", "shared", "occupancy", "loop"],
  ...["instructions", "multiply-adds", "share", "each", "waits", "branches"],
];

/** Kernels as a table; bench/README.md says how to read it. */
export function amdTable(kernels: readonly AmdKernel[]): string {
  return table([
    header,
    ...kernels.map((kernel) => [
      kernel.kernel,
      ...[kernel.dispatches, kernel.subgroup, kernel.registers, kernel.spilled, kernel.scratch].map(String),
      String(kernel.shared),
      `${percent(kernel.occupancy)} %`,
      kernel.isLoop ? "yes" : "no",
      ...mixCells(kernel, kernel.vector),
      ...[kernel.exposedWaits, kernel.branches].map(String),
    ]),
  ]);
}
