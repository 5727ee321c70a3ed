import { philoxNormal, philoxUniform } from "../../kernels/random/philox.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Standard normal values.
 * @param stream uint32 `[4]`: seed (low, high), step, call; call 0 is the stream of `RandomStream`
 * @param purpose keeps consumers with one seed and step apart; see `Purpose`
 */
export function normal(stream: Tensor, purpose: number, shape: readonly number[]): Tensor {
  const values = stream.context.empty(shape);
  fillNormal(values, stream, purpose);
  return values;
}

/**
 * Overwrites a tensor with standard normal values; `stream` and `purpose` as for {@link normal}.
 * @param first block of four numbers of the stream that the values begin with
 */
export function fillNormal(values: Tensor, stream: Tensor, purpose: number, first: number = 0): void {
  stream.context.launch(philoxNormal, { length: values.size, purpose, first }, { stream, values });
}

/** Values uniform in [low, high); `stream` and `purpose` as for {@link normal}. */
export function uniform(
  stream: Tensor,
  purpose: number,
  shape: readonly number[],
  { low, high }: { readonly low: number; readonly high: number },
): Tensor {
  const values = stream.context.empty(shape);
  stream.context.launch(philoxUniform, { length: values.size, purpose, low, high }, { stream, values });
  return values;
}
