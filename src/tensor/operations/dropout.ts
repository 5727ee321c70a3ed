import { dropout as dropoutKernel } from "../../kernels/vector/dropout.ts";
import { forkStream } from "../../kernels/random/fork_stream.ts";
import { Purpose } from "../../random/philox.ts";
import type { Tensor } from "../tensor.ts";
import { uniform } from "./random.ts";

/**
 * Dropout (Srivastava et al., 2014): each value becomes 0 with probability `rate`, and is divided by 1 − rate
 * otherwise.
 * @param x may be float16; the result has the same type
 * @param stream uint32 `[4]`: seed (low, high), step, call. Each use advances the call, so that it drops other values.
 */
export function dropout(x: Tensor, rate: number, stream: Tensor): Tensor {
  const { context } = x;
  using child = context.empty([4], "uint32");
  context.launch(forkStream, undefined, { stream, child });
  using uniforms = uniform(child, Purpose.dropout, x.shape, { low: 0, high: 1 });
  const output = context.empty(x.shape, x.type);
  const shape = { length: x.size, rate };
  context.launch(dropoutKernel, { ...shape, accumulate: false }, { input: x, uniforms, output });
  const tape = context.tape;
  tape?.record([x], output, [uniforms], (outputGradient) => {
    const { gradient, accumulate } = tape.target(x)!;
    context.launch(dropoutKernel, { ...shape, accumulate }, {
      input: outputGradient,
      uniforms,
      output: gradient,
    });
  });
  return output;
}
