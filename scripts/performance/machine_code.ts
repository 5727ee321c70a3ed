/** Tables of what GPUs' compilers make of the kernels, from `bench/results/isa.json`. */

import { amdCompilers } from "../../bench/isa/amd/compilers.ts";
import { percent } from "../../bench/isa/compiler.ts";
import { intelCompilers } from "../../bench/isa/intel/anv.ts";
import { nvidiaCompilers } from "../../bench/isa/nvidia/compilers.ts";
import type { KernelTable } from "../../bench/isa/results.ts";
import { markdownTable } from "../markdown.ts";
import { range, readResults } from "./results.ts";

/** A kernel's figures by the names of the columns; what a compiler does not tell is not there. */
type Kernel = Readonly<Partial<Record<string, string | number | boolean>>>;

/** The file: what each source's kernels became, by GPU. */
type Results = Readonly<Record<string, Readonly<Record<string, KernelTable>>>>;

/** The kernels that take most of the time, by the beginnings and ends of their names. */
const hotKernels = [
  ["forward", "conv2d_forward", "160 → 160, 3×3"],
  ["∂ input", "conv2d_gradient_input", "160 → 160, 3×3"],
  ["∂ weights", "conv2d_gradient_weight", "160 → 160, 3×3"],
  ["product", "winograd_product", "160 → 160"],
  ["weight product", "winograd_weight_product", "160 → 160"],
] as const;

const directKernels = hotKernels.slice(0, 3);
const operations = ["forward", "input", "weight"] as const;

const kernelsOf = ({ columns, kernels }: KernelTable): Kernel[] =>
  kernels.map((values) => Object.fromEntries(columns.map((name, i) => [name, values[i]!])));

const numberIn = (kernel: Kernel, column: string): number | undefined => {
  const value = kernel[column];
  return typeof value === "number" ? value : undefined;
};

function hot(kernels: readonly Kernel[], [, start, end]: typeof hotKernels[number]): Kernel {
  const found = kernels.find(({ kernel }) =>
    String(kernel).startsWith(start) && String(kernel).endsWith(end)
  );
  if (!found) throw new Error(`bench/results/isa.json has no kernel ${start} … ${end}`);
  return found;
}

/** Multiply-adds among a loop's vector instructions, or among all where those are not told apart. */
function share(kernel: Kernel): string {
  const among = numberIn(kernel, "vector") ?? numberIn(kernel, "instructions")!;
  return `${percent(numberIn(kernel, "multiplyAdds")! / among)} %`;
}

/** Instructions of loops for each of their multiply-adds, the least and the most; without multiply-adds there is no loop. */
function eachRange(kernels: readonly (Kernel | undefined)[]): string {
  const ratios = kernels.flatMap((kernel) => {
    const multiplyAdds = kernel && numberIn(kernel, "multiplyAdds");
    return multiplyAdds ? [numberIn(kernel, "instructions")! / multiplyAdds] : [];
  });
  return range(ratios, (ratio) => ratio.toFixed(1));
}

/** A peer's kernel for an operation: of several the one that multiplies most. */
function peerKernel(table: KernelTable | undefined, peer: string, operation: string): Kernel | undefined {
  return (table ? kernelsOf(table) : [])
    .filter(({ kernel }) => String(kernel).startsWith(`${peer} ${operation}: `))
    .sort((a, b) => numberIn(b, "multiplyAdds")! - numberIn(a, "multiplyAdds")!)[0];
}

const compilers = [...amdCompilers, ...nvidiaCompilers, ...intelCompilers];

/** The kernels with the shares of multiply-adds, registers and occupancy, and the peers' instructions beside them. */
export async function machineCodeSection(): Promise<string> {
  const results = await readResults<Results>("isa.json");
  const measured = compilers.flatMap(({ gpu, title }) => {
    const table = results["deno"]?.[gpu];
    return table ? [{ gpu, title, table, kernels: kernelsOf(table) }] : [];
  });
  const ours = measured.map(({ title, kernels }) => {
    const chosen = hotKernels.map((one) => hot(kernels, one));
    const occupancies = chosen.flatMap((kernel) => numberIn(kernel, "occupancy") ?? []);
    const spilling = kernels.filter((kernel) => numberIn(kernel, "spilled") || numberIn(kernel, "scratch"));
    return [
      title,
      ...chosen.map((kernel) => `${share(kernel)}, ${numberIn(kernel, "registers")}`),
      occupancies.length === 0 ? "" : `${range(occupancies.map(percent), String)} %`,
      `${spilling.length} of ${kernels.length}`,
    ];
  });
  const peers = Object.keys(results).filter((source) => source !== "deno" && source !== "dawn");
  const beside = [
    ["sada-jem", ...directKernels.map((one) => eachRange(measured.map(({ kernels }) => hot(kernels, one))))],
    ...peers.map((peer) => [
      peer,
      ...operations.map((operation) =>
        eachRange(measured.map(({ gpu }) => peerKernel(results[peer]![gpu], peer, operation)))
      ),
    ]),
  ];
  const used = [...new Set(measured.map(({ table }) => table.compiler))];
  return [
    markdownTable(
      ["160 → 160", ...hotKernels.map(([title]) => title), "occupancy", "spill"],
      ours,
      (column) => column > 0,
    ),
    `Compilers: ${used.join("; ")}.`,
    markdownTable(
      ["instructions for a multiply-add", ...directKernels.map(([title]) => title)],
      beside,
      (column) => column > 0,
    ),
  ].join("\n\n");
}
