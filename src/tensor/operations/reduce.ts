import { broadcast } from "../../kernels/vector/broadcast.ts";
import { reduceSum } from "../../kernels/reduce/reduce_sum.ts";
import type { Tensor } from "../tensor.ts";

/** Sum of all elements, `[1]`. */
export function sum(x: Tensor): Tensor {
  return scaledSum(x, 1);
}

/** Mean of all elements, `[1]`. */
export function mean(x: Tensor): Tensor {
  return scaledSum(x, 1 / x.size);
}

function scaledSum(x: Tensor, factor: number): Tensor {
  const { context } = x;
  const length = x.size;
  const result = context.empty([1]);
  context.launch(reduceSum, { length, factor }, { input: x, sum: result });
  const tape = context.tape;
  tape?.record([x], result, [], (scalar) => {
    const { gradient: target, accumulate } = tape.target(x)!;
    context.launch(broadcast, { length, factor, accumulate }, { scalar, target });
  });
  return result;
}
