import { philoxNormal, philoxUniform } from "../../kernels/random/philox.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Standard normal values.
 * @param stream uint32 `[4]`: seed (low, high), step, call; call 0 is the stream of `RandomStream`
 * @param purpose keeps users with the same seed and step apart; see `Purpose`
 * @param first the block of four numbers in the stream where the values begin; see {@link blockAt}
 */
export function normal(
  stream: Tensor,
  purpose: number,
  shape: readonly number[],
  first: number = 0,
): Tensor {
  const values = stream.context.empty(shape);
  fillNormal(values, stream, purpose, first);
  return values;
}

/**
 * Overwrites a tensor with standard normal values, with `stream` and `purpose` as in {@link normal}.
 * @param first the block of four numbers in the stream where the values begin
 */
export function fillNormal(values: Tensor, stream: Tensor, purpose: number, first: number = 0): void {
  stream.context.launch(philoxNormal, { length: values.size, purpose, first }, { stream, values });
}

/** Values uniform in [low, high), with `stream`, `purpose` and `first` as in {@link normal}. */
export function uniform(
  stream: Tensor,
  purpose: number,
  shape: readonly number[],
  { low, high, first = 0 }: { readonly low: number; readonly high: number; readonly first?: number },
): Tensor {
  const values = stream.context.empty(shape);
  const random = { length: values.size, purpose, low, high, first };
  stream.context.launch(philoxUniform, random, { stream, values });
  return values;
}

/**
 * The block of a stream that begins with a value.
 * @param value its index in the stream, a multiple of 4
 * @throws {RangeError} if no block begins with it.
 */
export function blockAt(value: number): number {
  if (!Number.isSafeInteger(value) || value % 4 !== 0) {
    throw new RangeError(`no block of a random stream begins with value ${value}`);
  }
  return value / 4;
}
