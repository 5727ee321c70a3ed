import { instructionOf, mixOf } from "./instructions.ts";

/**
 * With fewer multiply-adds than these between a load and the wait for it, the wait is exposed. A load takes hundreds of
 * cycles, a multiply-add of a subgroup one to four, and an unrolled step of a product has hundreds of them. So the number only
 * tells loads that were issued a step ahead from those that were issued when they were needed.
 */
const hidingMultiplyAdds = 64;

/** What {@link exposedWaits} must know besides the instructions. */
export interface WaitOptions {
  /** A loop runs again: what is loaded at the end of a turn is waited for in the next. */
  readonly isLoop: boolean;
  /** Vega's and CDNA's waits count stores as well as loads. */
  readonly countsStores: boolean;
}

/**
 * Counts the waits for loads from memory that hardly any multiply-adds stand before: there the vector unit has nothing to do
 * unless another subgroup is ready. Of a loop it counts those of a turn that others went before.
 *
 * Loads come back in the order in which they were issued, and a wait says how many may still be on their way. A wait for loads
 * that have arrived by an earlier wait is none.
 */
export function exposedWaits(lines: readonly string[], { isLoop, countsStores }: WaitOptions): number {
  /** How many multiply-adds were issued before each load that is on its way; none before a store, which nothing waits for. */
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

/** How many loads may be on their way after this line; undefined if it does not wait for loads. */
function allowedLoads(line: string): number | undefined {
  const instruction = instructionOf(line);
  const [, counter] = /^s_waitcnt\b.*\bvmcnt\((\d+)\)/.exec(instruction) ??
    /^s_wait_loadcnt\s+(\S+)/.exec(instruction) ?? [];
  if (counter !== undefined) return Number(counter);
  // One number of RDNA4's for both kinds of memory: loads in bits 8 to 13, workgroup memory in bits 0 to 5.
  const [, both] = /^s_wait_loadcnt_dscnt\s+(\S+)/.exec(instruction) ?? [];
  return both === undefined ? undefined : (Number(both) >> 8) & 63;
}
