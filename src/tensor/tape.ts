import { ShapeError } from "../errors.ts";
import { addInto } from "../kernels/vector/add_into.ts";
import type { Context } from "./context.ts";
import type { Parameter } from "./parameters.ts";
import type { Tensor } from "./tensor.ts";

/** One differentiable operation that has run: how the gradient of its output becomes gradients of its inputs. */
interface Node {
  readonly output: Tensor;
  readonly saved: readonly Tensor[];
  readonly backward: (outputGradient: Tensor) => void;
}

/** Where an operation writes the gradient of one of its inputs. */
export interface GradientTarget {
  readonly gradient: Tensor;
  /** Whether the kernel must add to what is there (`+=`) or may overwrite it (`=`). */
  readonly accumulate: boolean;
}

/**
 * The operations between some variables and a scalar, in the order in which they ran, for reverse-mode
 * differentiation. It keeps the tensors that the backward pass needs and frees each as soon as it is consumed.
 */
export class Tape {
  readonly #context: Context;
  readonly #nodes: Node[] = [];
  readonly #tracked = new Set<Tensor>();
  readonly #parameterGradients = new Map<Tensor, Tensor>();
  readonly #gradients = new Map<Tensor, Tensor>();
  readonly #inputs: readonly Tensor[];

  constructor(context: Context, parameters: readonly Parameter[], inputs: readonly Tensor[]) {
    this.#context = context;
    this.#inputs = inputs;
    for (const input of inputs) this.#tracked.add(input);
    for (const { value, gradient } of parameters) {
      this.#tracked.add(value);
      this.#parameterGradients.set(value, gradient);
    }
  }

  /** Whether the gradient with respect to `tensor` is wanted: it is a variable, or was computed from one. */
  wants(tensor: Tensor): boolean {
    return this.#tracked.has(tensor);
  }

  /**
   * Records an operation if any of its inputs is tracked.
   * @param saved tensors whose contents `backward` reads; the tape keeps them until then.
   * @param backward receives the gradient with respect to `output` and delivers those with respect to the inputs
   *   through {@link target}.
   */
  record(
    inputs: readonly Tensor[],
    output: Tensor,
    saved: readonly Tensor[],
    backward: (outputGradient: Tensor) => void,
  ): void {
    if (!inputs.some((input) => this.wants(input))) return;
    this.#tracked.add(output);
    for (const tensor of saved) tensor.retain();
    this.#nodes.push({ output, saved, backward });
  }

  /** Where to write the gradient with respect to `input`, or undefined if it is not wanted. */
  target(input: Tensor): GradientTarget | undefined {
    if (!this.wants(input)) return undefined;
    const parameterGradient = this.#parameterGradients.get(input);
    if (parameterGradient) return { gradient: parameterGradient, accumulate: true };
    const present = this.#gradients.get(input);
    if (!present) {
      const gradient = this.#context.empty(input.shape).disown();
      this.#gradients.set(input, gradient);
      return { gradient, accumulate: false };
    }
    if (!present.shared) return { gradient: present, accumulate: true };
    const gradient = this.#copy(present);
    this.#gradients.set(input, gradient);
    return { gradient, accumulate: true };
  }

  /**
   * Adds `factor · contribution` to the gradient with respect to `input`. With factor 1 the first one is shared, not
   * copied.
   */
  contribute(input: Tensor, contribution: Tensor, factor = 1): void {
    if (!this.wants(input)) return;
    const isFirst = !this.#gradients.has(input) && !this.#parameterGradients.has(input);
    if (isFirst && factor === 1) {
      this.#gradients.set(input, contribution.retain());
      return;
    }
    const target = this.target(input)!;
    if (!target.accumulate) target.gradient.clear();
    this.#context.launch(addInto, { length: input.size, factor }, {
      source: contribution,
      target: target.gradient,
    });
  }

  /**
   * Differentiates the scalar `value`, filling the parameters' gradients.
   * @returns the gradients with respect to the inputs; zeros where `value` does not depend on one.
   * @throws {ShapeError} if `value` is not a scalar.
   */
  backward(value: Tensor): Tensor[] {
    if (value.size !== 1) throw new ShapeError(`only a scalar can be differentiated, not [${value.shape}]`);
    this.#gradients.set(value, this.#context.one.retain());
    for (let node = this.#nodes.pop(); node; node = this.#nodes.pop()) {
      const gradient = this.#gradients.get(node.output);
      if (gradient) {
        node.backward(gradient);
        this.#gradients.delete(node.output);
        gradient.release();
      }
      for (const tensor of node.saved) tensor.release();
    }
    return this.#inputs.map((input) => {
      const gradient = this.#gradients.get(input);
      if (!gradient) return this.#context.zeros(input.shape);
      return (gradient.shared ? this.#copy(gradient) : gradient).own();
    });
  }

  /** Replaces a reference to a shared gradient with a reference to a copy. */
  #copy(shared: Tensor): Tensor {
    const copy = this.#context.empty(shared.shape).disown();
    copy.copyFrom(shared);
    shared.release();
    return copy;
  }
}
