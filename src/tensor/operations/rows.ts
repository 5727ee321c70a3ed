import { ShapeError } from "../../errors.ts";
import { elementBytes } from "../element_type.ts";
import { elements, type Tensor } from "../tensor.ts";

/**
 * A copy of the given entries along the first dimension: `[N, ...]` → `[count, ...]`.
 * @throws {ShapeError} if they lie outside the tensor.
 */
export function rows(x: Tensor, first: number, count: number): Tensor {
  const [all = 0, ...rest] = x.shape;
  if (first < 0 || first + count > all) {
    throw new ShapeError(`rows ${first} to ${first + count} lie outside [${x.shape}]`);
  }
  const { context } = x;
  const start = first * elements(rest);
  const output = context.empty([count, ...rest], x.type);
  copyElements(x, start, output, 0, output.size);
  const tape = context.tape;
  tape?.record([x], output, [], (outputGradient) => {
    using padded = context.zeros(x.shape);
    copyElements(outputGradient, 0, padded, start, outputGradient.size);
    tape.contribute(x, padded);
  });
  return output;
}

/**
 * Joins the tensors along the first dimension.
 * @throws {ShapeError} unless their other dimensions and their types agree.
 */
export function concatenate(parts: readonly Tensor[]): Tensor {
  const { context, type, shape: [, ...rest] } = parts[0]!;
  if (parts.some((part) => part.type !== type || part.shape.slice(1).join() !== rest.join())) {
    throw new ShapeError(`cannot concatenate ${parts.map(({ shape }) => `[${shape}]`).join(" and ")}`);
  }
  const count = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const output = context.empty([count, ...rest], type);
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, { size }) => sum + size, 0));
  parts.forEach((part, i) => copyElements(part, 0, output, starts[i]!, part.size));
  const tape = context.tape;
  tape?.record(parts, output, [], (outputGradient) => {
    for (const [i, part] of parts.entries()) {
      if (!tape.wants(part)) continue;
      using gradient = context.empty(part.shape);
      copyElements(outputGradient, starts[i]!, gradient, 0, part.size);
      tape.contribute(part, gradient);
    }
  });
  return output;
}

/** Records a copy of `count` elements. They may start where kernels could not bind them. */
function copyElements(source: Tensor, from: number, target: Tensor, to: number, count: number): void {
  const part = (tensor: Tensor, start: number) => {
    const { buffer, offset } = tensor.range();
    const bytes = elementBytes(tensor.type);
    return { buffer, offset: offset + bytes * start, size: bytes * count };
  };
  source.context.gpu.copy(part(source, from), part(target, to));
}
