import { ShapeError } from "../../errors.ts";
import type { Context } from "../../tensor/context.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** The parts of {@link IterationInputs} and their lengths in 32-bit words, for given batch sizes. */
function partLengths(likelihoodBatch: number, labelledBatch: number) {
  return {
    /** uint32: seed (low, high), iteration, call. */
    stream: 4,
    /** float32: learning rate, Adam's two bias corrections, unused. */
    schedule: 4,
    /** x_p: indices of images and their crops. */
    likelihoodIndices: likelihoodBatch,
    likelihoodCrops: likelihoodBatch,
    /** x_l: indices of images, their crops and labels. */
    labelledIndices: labelledBatch,
    labelledCrops: labelledBatch,
    labels: labelledBatch,
    /** Replay buffer entries of the chains, then flags (1: start from a fresh image instead). */
    draws: 2 * likelihoodBatch,
    /** Class of each fresh image; `skipped` where there is none. */
    freshClasses: likelihoodBatch,
  };
}

/** Name of a part. */
export type InputPart = keyof ReturnType<typeof partLengths>;

/** The values of the parts in one iteration; `schedule` holds floating-point numbers. */
export type InputValues =
  & Readonly<Record<Exclude<InputPart, "schedule">, Uint32Array>>
  & { readonly schedule: readonly number[] };

/** Words between the starts of two parts, so that each can be bound. */
const alignment = 64;

/**
 * Everything that changes from one iteration to the next, in one GPU buffer that is written once an iteration. The
 * recorded iteration reads its parts, so it never has to be recorded again.
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

  /**
   * Uploads the values of an iteration. Omitted parts keep their values, initially zeros.
   * @throws {ShapeError} if a part has more values than there is room for.
   */
  upload(values: Partial<InputValues>): void {
    for (const [name, { size }] of Object.entries(this.parts) as [InputPart, Tensor][]) {
      const value = values[name];
      if (!value) continue;
      if (value.length > size) throw new ShapeError(`${value.length} ${name}, expected ${size}`);
      const words = value instanceof Uint32Array ? value : new Uint32Array(Float32Array.from(value).buffer);
      this.#words.set(words, this.#starts[name]);
    }
    this.#all.write(this.#words);
  }
}
