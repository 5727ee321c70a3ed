import { add as addKernel } from "../../kernels/vector/add.ts";
import { multiply as multiplyKernel, multiplyInto } from "../../kernels/vector/multiply.ts";
import { assertShapes, type Tensor } from "../tensor.ts";

/**
 * first + factor · second, element by element. Either may be float16; the sum has the type of `first`.
 * @throws {ShapeError} if the sizes differ.
 */
export function add(first: Tensor, second: Tensor, factor = 1): Tensor {
  assertShapes(first.size === second.size, "tensors of one size are added", first, second);
  const { context } = first;
  const sum = context.empty(first.shape, first.type);
  context.launch(addKernel, { length: first.size, factor }, { first, second, sum });
  const tape = context.tape;
  tape?.record([first, second], sum, [], (gradient) => {
    tape.contribute(first, gradient);
    tape.contribute(second, gradient, factor);
  });
  return sum;
}

/**
 * first · second, element by element.
 * @throws {ShapeError} if the sizes differ.
 */
export function multiply(first: Tensor, second: Tensor): Tensor {
  assertShapes(first.size === second.size, "tensors of one size are multiplied", first, second);
  const { context } = first;
  const product = context.empty(first.shape);
  context.launch(multiplyKernel, { length: first.size }, { first, second, product });
  const tape = context.tape;
  tape?.record([first, second], product, [first, second], (gradient) => {
    for (const [variable, other] of [[first, second], [second, first]] as const) {
      const target = tape.target(variable);
      if (!target) continue;
      if (!target.accumulate) target.gradient.clear();
      context.launch(multiplyInto, { length: variable.size, factor: 1 }, {
        first: gradient,
        second: other,
        target: target.gradient,
      });
    }
  });
  return product;
}
