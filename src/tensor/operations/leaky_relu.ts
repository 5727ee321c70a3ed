import { leakyRelu as leakyReluKernel, leakyReluBackward } from "../../kernels/vector/leaky_relu.ts";
import type { Tensor } from "../tensor.ts";

/** LeakyReLU: x where x > 0, slope·x elsewhere; any shape. float16 stays float16. */
export function leakyRelu(x: Tensor, slope: number): Tensor {
  const { context } = x;
  const output = context.empty(x.shape, x.type);
  context.launch(leakyReluKernel, { length: x.size, slope }, { input: x, output });
  const tape = context.tape;
  tape?.record([x], output, [x], (outputGradient) => {
    const { gradient: inputGradient, accumulate } = tape.target(x)!;
    context.launch(leakyReluBackward, { length: x.size, slope, accumulate }, {
      input: x,
      outputGradient,
      inputGradient,
    });
  });
  return output;
}
