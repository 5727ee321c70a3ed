/** Random subsets. Whatever takes some images of a set draws them here, and never takes the first ones. */

import { permutation, Purpose, RandomStream } from "../random/philox.ts";

/** The uses of a draw. Draws for different uses are independent. */
export const Draw = {
  dataLimit: 0,
  validation: 1,
  resident: 2,
  attack: 3,
  temperature: 4,
  landscape: 5,
  otherSet: 6,
  samples: 7,
  classes: 8,
  interpolation: 9,
  baseline: 10,
  heldOut: 11,
} as const;

/** One of {@link Draw}. */
export type DrawUse = typeof Draw[keyof typeof Draw];

/** A draw belongs to the data, not to a run: runs with other seeds must take the same images to be comparable. */
const drawSeed = 0;

/**
 * Draws images without replacement so that each class has its share. Of n images, a class with the share p gets p·n,
 * rounded up or down. Within a class every image is equally likely. The first n images of a longer draw are the draw of
 * n, so a subset only grows when more is asked for. The same labels give the same draw, however the classes are
 * numbered.
 *
 * Shares are kept by Tijdeman's rule (The chairman assignment problem, 1980): of the classes that have fallen behind
 * enough, the next image comes from the one whose share would be overdue first. Largest remainders would not nest.
 * @param labels class of each image
 * @param count number of images; all are drawn if there are fewer
 * @returns indices of images, in the order of the draw
 */
export function stratifiedDraw(labels: ArrayLike<number>, count: number, use: DrawUse): Uint32Array {
  const members = new Map<number, number[]>();
  for (const index of permutation(stream(use), labels.length)) {
    const list = members.get(labels[index]!);
    if (list) list.push(index);
    else members.set(labels[index]!, [index]);
  }
  const strata = [...members.values()].map((list) => ({
    list,
    share: list.length / labels.length,
    taken: 0,
  }));
  const slack = strata.length > 1 ? 1 / (2 * strata.length - 2) : 0;
  return Uint32Array.from({ length: Math.min(count, labels.length) }, (_, k) => {
    let next = strata[0]!;
    let earliest = Infinity;
    for (const stratum of strata) {
      const { share, taken, list } = stratum;
      const behind = share * (k + 1) - taken;
      const overdue = (1 - slack - behind) / share;
      // Rounding must not turn an equality into an inequality.
      if (taken === list.length || behind < slack - 1e-9 || overdue >= earliest - 1e-9) continue;
      [next, earliest] = [stratum, overdue];
    }
    return next.list[next.taken++]!;
  });
}

/** `count` of the numbers 0 … total − 1, ascending and drawn at random; all of them if there are no more. */
export function drawSome(total: number, count: number, use: DrawUse): Uint32Array {
  return permutation(stream(use), total).subarray(0, count).toSorted();
}

/** The numbers 0 … count − 1 in a random order that is always the same. */
export function drawnOrder(count: number, use: DrawUse): Uint32Array {
  return permutation(stream(use), count);
}

function stream(use: DrawUse): RandomStream {
  return new RandomStream(drawSeed, Purpose.draw, use);
}
