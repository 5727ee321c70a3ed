/**
 * What the instructions of AMD's GPUs do, by their names in the assembly from Mesa's RADV. A line is an instruction
 * with its operands, a label such as `BB3:`, or, after a semicolon, an instruction's bits.
 */

/** How many instructions there are of each kind. */
export interface Mix {
  /** All instructions, except hints to the scheduler, which take no turn. */
  readonly instructions: number;
  /**
   * Operations of the vector unit (names that begin with `v_`): an addition to an address counts like a multiply-add.
   * An instruction that holds two operations (dual issue: `v_dual_… :: v_dual_…`; packed: `v_pk_…`) counts as two.
   */
  readonly vector: number;
  /** The operations among them that multiply and add floats. */
  readonly multiplyAdds: number;
  /** From and to workgroup memory. */
  readonly sharedReads: number;
  readonly sharedWrites: number;
  /** From and to memory, by the vector units, including spilled registers. */
  readonly loads: number;
  readonly stores: number;
  readonly barriers: number;
  readonly branches: number;
}

/** The kinds of {@link Mix} that a single operation can have. */
type Kind = keyof Omit<Mix, "instructions" | "vector">;

const kinds: readonly (readonly [Kind, RegExp])[] = [
  [
    "multiplyAdds",
    /^v_(?:dual_|pk_)?(?:fma|fmac|fmaak|fmamk|mac|mad|madak|madmk)(?:_mix(?:lo|hi)?)?_(?:legacy_)?f(?:32|16)/,
  ],
  ["sharedReads", /^ds_(?:read|load)/],
  ["sharedWrites", /^ds_(?:write|store)/],
  ["loads", /^(?:t?buffer|global|flat|image|scratch)_(?:load|sample|gather)/],
  ["stores", /^(?:t?buffer|global|flat|image|scratch)_(?:store|atomic)/],
  ["barriers", /^s_barrier(?!_signal)/],
  ["branches", /^s_c?branch/],
];

const hints: readonly string[] = ["s_delay_alu", "s_clause", "s_nop", "s_code_end"];

/**
 * The text of an instruction, without its bits; empty for a label, a hint, or a remark such as `(then repeated 5
 * times)`.
 */
export function instructionOf(line: string): string {
  const text = line.split(";")[0]!.trim();
  const [name] = /^[a-z]\w*(?=\s|$)/.exec(text) ?? [];
  return name === undefined || hints.includes(name) ? "" : text;
}

/** Counts the instructions of some lines. */
export function mixOf(lines: readonly string[]): Mix {
  const mix = {
    ...{ instructions: 0, vector: 0, multiplyAdds: 0, sharedReads: 0, sharedWrites: 0 },
    ...{ loads: 0, stores: 0, barriers: 0, branches: 0 },
  };
  for (const instruction of lines.map(instructionOf)) {
    if (instruction === "") continue;
    mix.instructions++;
    for (const operation of instruction.split("::")) {
      const name = operation.trim().split(/\s/, 1)[0]!;
      const operations = name.startsWith("v_pk_") ? 2 : 1;
      if (name.startsWith("v_")) mix.vector += operations;
      const kind = kinds.find(([, pattern]) => pattern.test(name))?.[0];
      if (kind) mix[kind] += operations;
    }
  }
  return mix;
}

/** Multiply-adds among operations of the vector unit, from 0 to 1. */
export function multiplyAddShare({ multiplyAdds, vector }: Mix): number {
  return vector === 0 ? 0 : multiplyAdds / vector;
}
