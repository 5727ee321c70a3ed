/** Loops of a program in any machine's code. */

/** Positions of a label and of a branch back to it. */
export interface BackBranch {
  readonly target: number;
  readonly from: number;
}

/**
 * The body of each loop, without the loops inside it. A loop reaches from a label to the last branch back to it.
 * @param program lines or instructions
 */
export function loopsOf<Item>(program: readonly Item[], branches: readonly BackBranch[]): Item[][] {
  const ends = new Map<number, number>();
  for (const { target, from } of branches) ends.set(target, Math.max(from, ends.get(target) ?? 0));
  const loops = [...ends];
  return loops.map(([start, end]) => {
    const inner = loops.filter(([otherStart, otherEnd]) => otherStart > start && otherEnd <= end);
    return program.slice(start, end + 1).filter((_, offset) => {
      const i = start + offset;
      return !inner.some(([innerStart, innerEnd]) => i >= innerStart && i <= innerEnd);
    });
  });
}

/**
 * The loop in which a kernel spends its time: the one with most multiply-adds, and of several the longest. Each
 * instruction counts once, however often the loop runs and whether or not a branch skips it.
 * @returns undefined if there is no loop, or if all multiply-adds are outside loops and outnumber the instructions of the
 *   hottest one, which then only clears workgroup memory or the like
 */
export function hottest<Item>(
  program: readonly Item[],
  loops: readonly Item[][],
  mixOf: (loop: readonly Item[]) => { readonly multiplyAdds: number; readonly instructions: number },
): Item[] | undefined {
  const counted = loops.map((loop) => ({ loop, mix: mixOf(loop) }));
  counted.sort((a, b) => b.mix.multiplyAdds - a.mix.multiplyAdds || b.mix.instructions - a.mix.instructions);
  const [first] = counted;
  const isBeside = first?.mix.multiplyAdds === 0 && mixOf(program).multiplyAdds > first.mix.instructions;
  return isBeside ? undefined : first?.loop;
}
