import { type BackBranch, hottest, loopsOf as loopsByBranches } from "../loops.ts";
import { type Mix, mixOf } from "./instructions.ts";

/** The lines of each loop of an assembly, without those of the loops inside it. */
export function loopsOf(lines: readonly string[]): string[][] {
  const labels = new Map<string, number>();
  const branches: BackBranch[] = [];
  for (const [from, line] of lines.entries()) {
    const [, label] = /^(BB\d+):/.exec(line) ?? [];
    if (label !== undefined) labels.set(label, from);
    const [, name] = /^\s*s_c?branch\w*\s+(BB\d+)/.exec(line) ?? [];
    const target = labels.get(name ?? "");
    if (target !== undefined) branches.push({ target, from });
  }
  return loopsByBranches(lines, branches);
}

/** The lines of the loop in which a kernel spends its time, see {@link hottest}. */
export function hotLoop(lines: readonly string[]): string[] | undefined {
  return hottest(lines, loopsOf(lines), mixOf);
}

/**
 * Whether a loop writes tiles to workgroup memory and multiplies what it reads from there. It may lack a barrier,
 * because RADV leaves that out where a workgroup is a single subgroup.
 */
export function isStaged({ multiplyAdds, sharedReads, sharedWrites }: Mix): boolean {
  return multiplyAdds > 0 && sharedReads > 0 && sharedWrites > 0;
}
