import { instructionOf, mixOf } from "./instructions.ts";

/**
 * A wait with fewer multiply-adds than this between a load and itself is exposed. A load takes hundreds of cycles, a
 * multiply-add of a subgroup one to four, and an unrolled step of a product has hundreds of them. So the number only
 * tells loads that were issued a step ahead from those issued when they were needed.
 */
const hidingMultiplyAdds = 64;

/** What {@link exposedWaits} needs besides the instructions. */
export interface WaitOptions {
  /** Whether the lines are a loop: what is loaded at the end of a turn is waited for in the next one. */
  readonly isLoop: boolean;
  /** Whether waits count stores as well as loads, as on Vega and CDNA. */
  readonly countsStores: boolean;
}

/**
 * Counts the waits for loads from memory that hardly any multiply-adds precede. There the vector unit has nothing to do
 * unless another subgroup is ready. In a loop it counts the waits of a turn that follows other turns.
 *
 * Loads return in the order in which they were issued, and a wait says how many may still be under way. A wait for
 * loads that an earlier wait already covers does not count.
 */
export function exposedWaits(lines: readonly string[], { isLoop, countsStores }: WaitOptions): number {
  /** Number of multiply-adds before each load that is under way; undefined for a store, which nothing waits for. */
  let onTheirWay: number[] = [];
  let [multiplyAdds, exposed] = [0, 0];
  for (const isCounted of isLoop ? [false, true] : [true]) {
    for (const line of lines) {
      const mix = mixOf([line]);
      multiplyAdds += mix.multiplyAdds;
      if (mix.loads > 0) onTheirWay.push(multiplyAdds);
      if (mix.stores > 0 && countsStores) onTheirWay.push(-Infinity);
      const allowed = allowedLoads(line);
      if (allowed === undefined || allowed >= onTheirWay.length) continue;
      const arrived = onTheirWay.slice(0, onTheirWay.length - allowed);
      onTheirWay = onTheirWay.slice(arrived.length);
      const isExposed = arrived.some((issuedAt) => multiplyAdds - issuedAt < hidingMultiplyAdds);
      if (isExposed && isCounted) exposed++;
    }
  }
  return exposed;
}

/** How many loads may be under way after this line; undefined if it does not wait for loads. */
function allowedLoads(line: string): number | undefined {
  const instruction = instructionOf(line);
  const [, counter] = /^s_waitcnt\b.*\bvmcnt\((\d+)\)/.exec(instruction) ??
    /^s_wait_loadcnt\s+(\S+)/.exec(instruction) ?? [];
  if (counter !== undefined) return Number(counter);
  // RDNA4 has one number for both kinds of memory: loads in bits 8 to 13, workgroup memory in bits 0 to 5.
  const [, both] = /^s_wait_loadcnt_dscnt\s+(\S+)/.exec(instruction) ?? [];
  return both === undefined ? undefined : (Number(both) >> 8) & 63;
}
