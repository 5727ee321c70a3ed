import { DataError } from "../errors.ts";
import type { Context } from "../tensor/context.ts";
import type { ImageBuffer } from "../data/image_buffer.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The members of each class in one buffer. */
export interface BufferMembers {
  readonly buffer: ImageBuffer;
  /** uint32: (start, count, before, total) of each class, then indices within the buffer grouped by class. */
  readonly members: Tensor;
  /** Indices that are listed. */
  readonly listed: number;
}

/** Words that describe a class. */
const header = 4;

/**
 * Lists the images of each class, buffer by buffer, as the kernels `classMeans` and `informativeSample` read them.
 * @param chosen indices of the images that count, ascending; all by default
 * @returns the lists, and the number of images of the largest class
 * @throws {DataError} if a class has no image, or an image no class.
 */
export function listMembers(
  context: Context,
  buffers: readonly ImageBuffer[],
  labels: Uint32Array,
  classes: number,
  chosen?: Uint32Array,
): { lists: BufferMembers[]; maximumCount: number } {
  const totals = new Uint32Array(classes);
  for (const index of chosen ?? labels.keys()) {
    const label = labels[index]!;
    if (label >= classes) {
      throw new DataError(`image ${index} has label ${label}, expected one below ${classes}`);
    }
    totals[label]!++;
  }
  const absent = totals.indexOf(0);
  if (absent >= 0) {
    throw new DataError(`no image of class ${absent}, where a Gaussian is fitted to each class`);
  }
  const before = new Uint32Array(classes);
  const lists = buffers.map((buffer) => {
    const groups: number[][] = Array.from({ length: classes }, () => []);
    const end = buffer.first + buffer.count;
    for (const index of chosen ?? range(buffer.first, end)) {
      if (index >= buffer.first && index < end) groups[labels[index]!]!.push(index - buffer.first);
    }
    const listed = groups.reduce((sum, group) => sum + group.length, 0);
    const words = new Uint32Array(header * classes + listed);
    let start = header * classes;
    groups.forEach((group, label) => {
      words.set([start, group.length, before[label]!, totals[label]!], header * label);
      words.set(group, start);
      start += group.length;
      before[label]! += group.length;
    });
    return { buffer, members: context.from(words, [words.length]).disown(), listed };
  });
  return { lists, maximumCount: Math.max(...totals) };
}

function* range(first: number, end: number): Generator<number> {
  for (let i = first; i < end; i++) yield i;
}
