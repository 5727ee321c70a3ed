import { skipped } from "../jem/initialisation.ts";
import { Purpose, RandomStream } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The parts of {@link IterationInputs} and their lengths in 32-bit words, for given batch sizes. */
function partLengths(likelihoodBatch: number, labelledBatch: number) {
  return {
    /** uint32: seed (low, high), iteration, unused. */
    stream: 4,
    /** float32: learning rate, Adam's two bias corrections, unused. */
    schedule: 4,
    /** x_p: images and their crops. */
    likelihoodIndices: likelihoodBatch,
    likelihoodCrops: likelihoodBatch,
    /** x_l: images, their crops and labels. */
    labelledIndices: labelledBatch,
    labelledCrops: labelledBatch,
    labels: labelledBatch,
    /** Replay buffer entries of the chains, then flags (1: start from a fresh image instead). */
    draws: 2 * likelihoodBatch,
    /** Class of each fresh image; {@link skipped} where none is wanted. */
    freshClasses: likelihoodBatch,
  };
}

/** Name of a part. */
export type InputPart = keyof ReturnType<typeof partLengths>;

/** What the parts hold in one iteration; `schedule` as floating-point numbers. */
export type InputValues =
  & Readonly<Record<Exclude<InputPart, "schedule">, Uint32Array>>
  & { readonly schedule: readonly number[] };

/** Words between the starts of two parts, so that each can be bound. */
const alignment = 64;

/**
 * Everything that changes from one iteration to the next, in one GPU buffer that is written once an iteration. The
 * recorded iteration reads its parts, and so never has to be recorded again.
 */
export class IterationInputs {
  /** Each part as a tensor. */
  readonly parts: Readonly<Record<InputPart, Tensor>>;
  readonly #starts: Readonly<Record<InputPart, number>>;
  readonly #words: Uint32Array;
  readonly #all: Tensor;

  constructor(context: Context, likelihoodBatch: number, labelledBatch: number) {
    const lengths = partLengths(likelihoodBatch, labelledBatch);
    const names = Object.keys(lengths) as InputPart[];
    const starts = { ...lengths };
    let length = 0;
    for (const name of names) {
      starts[name] = length;
      length += Math.ceil(lengths[name] / alignment) * alignment;
    }
    this.#starts = starts;
    this.#words = new Uint32Array(length);
    const all = this.#all = context.empty([length], "uint32").disown();
    this.parts = Object.fromEntries(
      names.map((name) => [name, all.slice(starts[name], [lengths[name]]).disown()]),
    ) as Record<InputPart, Tensor>;
  }

  /** Uploads the values of an iteration. */
  upload(values: InputValues): void {
    for (const name of Object.keys(this.parts) as InputPart[]) {
      const words = name === "schedule"
        ? new Uint32Array(Float32Array.from(values.schedule).buffer)
        : values[name];
      this.#words.set(words, this.#starts[name]);
    }
    this.#all.write(this.#words);
  }
}

/** Random crops and flips of a batch, packed as `expandImages` reads them. */
export function drawCrops(
  stream: RandomStream,
  batch: number,
  { padding, flip }: { readonly padding: number; readonly flip: boolean },
): Uint32Array {
  return Uint32Array.from({ length: batch }, (_, i) => {
    const dy = stream.integer(3 * i, 2 * padding + 1);
    const dx = stream.integer(3 * i + 1, 2 * padding + 1);
    const mirrored = flip ? stream.integer(3 * i + 2, 2) : 0;
    return dy | dx << 8 | mirrored << 16;
  });
}

/**
 * Draws where the chains of an iteration start: a buffer entry each, uniformly with replacement, replaced with some
 * probability by a fresh image of a uniformly drawn class.
 */
export function drawReplay(
  { seed, iteration, batch, capacity, classes, reinitProbability }: {
    readonly seed: number;
    readonly iteration: number;
    readonly batch: number;
    readonly capacity: number;
    readonly classes: number;
    readonly reinitProbability: number;
  },
): { draws: Uint32Array; freshClasses: Uint32Array } {
  const stream = new RandomStream(seed, Purpose.replayDraw, iteration);
  const draws = new Uint32Array(2 * batch);
  const freshClasses = new Uint32Array(batch).fill(skipped);
  for (let i = 0; i < batch; i++) {
    draws[i] = stream.integer(3 * i, capacity);
    if (stream.uniform(3 * i + 1) >= reinitProbability) continue;
    draws[batch + i] = 1;
    freshClasses[i] = stream.integer(3 * i + 2, classes);
  }
  return { draws, freshClasses };
}
