/** What instructions of Intel's GPUs do, in the assembly that Mesa's ANV returns. */

import { hottest, loopsOf } from "../loops.ts";

/** How many instructions there are of each kind in the loop that takes the time, or else in the whole kernel. */
export interface IntelMix {
  readonly isLoop: boolean;
  /** All except `sync`, which waits and computes nothing. */
  readonly instructions: number;
  readonly multiplyAdds: number;
  /** Messages to memory and to workgroup memory, including those for spilled registers. */
  readonly sends: number;
  readonly moves: number;
  readonly branches: number;
}

const kinds = {
  multiplyAdds: ["mad"],
  sends: ["send", "sends", "sendc"],
  moves: ["mov"],
  branches: ["if", "else", "endif", "while", "break", "cont", "jmpi", "halt"],
} as const;

/** The operation of a line such as `(+f0.0) mad.sat(16) g1<1>F …`. */
function operationOf(line: string): string | undefined {
  return /^(?:\([^)]*\)\s*)?([a-z]\w*)(?:\.\S*)?\(\d+\)/.exec(line.trim())?.[1];
}

/** Counts the instructions of a program. */
export function intelMix(lines: readonly string[]): IntelMix {
  const labels = new Map(
    lines.flatMap((line, i) => {
      const [, label] = /^(LABEL\d+):/.exec(line) ?? [];
      return label === undefined ? [] : [[label, i] as const];
    }),
  );
  const branches = lines.flatMap((line, from) => {
    const [, label] = /\bwhile\(\d+\)\s+JIP:\s+(LABEL\d+)/.exec(line) ?? [];
    const target = labels.get(label ?? "");
    return target !== undefined && target < from ? [{ target, from }] : [];
  });
  const loop = hottest(lines, loopsOf(lines, branches), count);
  return { isLoop: loop !== undefined, ...count(loop ?? lines) };
}

function count(lines: readonly string[]): Omit<IntelMix, "isLoop"> {
  const operations = lines.map(operationOf).filter((name) => name !== undefined && name !== "sync");
  const of = (names: readonly string[]) => operations.filter((name) => names.includes(name!)).length;
  return {
    instructions: operations.length,
    multiplyAdds: of(kinds.multiplyAdds),
    sends: of(kinds.sends),
    moves: of(kinds.moves),
    branches: of(kinds.branches),
  };
}
