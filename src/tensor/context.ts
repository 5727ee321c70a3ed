import type { Gpu } from "../gpu/gpu.ts";
import type { Plan } from "../gpu/plan.ts";
import type { Kernel } from "../kernels/kernel.ts";
import { type Bindable, launch } from "./launch.ts";
import { Tape } from "./tape.ts";
import { boundBytes, type ElementType } from "./element_type.ts";
import { elements, Tensor } from "./tensor.ts";
import type { Parameter } from "./parameters.ts";

/** Options of a context. */
export interface ContextOptions {
  /** Picks the algorithms of operations that have several; by default the first that is offered. */
  readonly choose?: Choose | undefined;
}

/** Picks one of the algorithms that compute an operation of the given name and shape. */
export type Choose = ContextChoice["choose"];

/** A method, so that an operation's own chooser, which knows its names and shapes, can stand in for it. */
interface ContextChoice {
  choose<Algorithm extends { readonly name: string }>(
    candidates: readonly [Algorithm, ...Algorithm[]],
    operation: string,
    shape: object,
  ): Algorithm;
}

/** The variables that a loss is differentiated with respect to. */
export interface Variables {
  /** Their gradients are added to `parameter.gradient`. */
  readonly parameters?: readonly Parameter[];
  /** Their gradients are returned. */
  readonly inputs?: readonly Tensor[];
}

/** Creates tensors on one GPU, owns those of the current scope, and records operations on the current tape. */
export class Context {
  /** The scalar 1, where gradients begin. */
  readonly one: Tensor;
  /** Picks among the algorithms of an operation. */
  readonly choose: Choose;
  #scope: Set<Tensor> | undefined;
  #tape: Tape | undefined;
  readonly #memo = new Map<(context: Context) => unknown, unknown>();

  constructor(readonly gpu: Gpu, { choose = ([first]) => first }: ContextOptions = {}) {
    this.choose = choose;
    this.one = this.from(Float32Array.of(1), [1]);
  }

  /** The tape that operations record themselves on, if a gradient is being taken. */
  get tape(): Tape | undefined {
    return this.#tape;
  }

  /** A value that an operation keeps with this context. `make` creates it at the first request. */
  memo<Value>(make: (context: Context) => Value): Value {
    if (!this.#memo.has(make)) this.#memo.set(make, make(this));
    return this.#memo.get(make) as Value;
  }

  /** A tensor with undefined contents. */
  empty(shape: readonly number[], type: ElementType = "float32"): Tensor {
    const pool = this.gpu.pool;
    const pooled = pool.acquire(boundBytes(elements(shape), type));
    return this.adopt(new Tensor(this, shape, type, { pooled, release: () => pool.release(pooled) }));
  }

  /** A tensor of zeros. */
  zeros(shape: readonly number[], type: ElementType = "float32"): Tensor {
    const tensor = this.empty(shape, type);
    tensor.clear();
    return tensor;
  }

  /** A tensor with the given elements, rounded to the nearest value of its type. */
  from(
    values: Float32Array | Uint32Array,
    shape: readonly number[],
    type: ElementType = values instanceof Uint32Array ? "uint32" : "float32",
  ): Tensor {
    const tensor = this.empty(shape, type);
    tensor.write(values);
    return tensor;
  }

  /** Records one run of a kernel; see {@link launch}. */
  launch<Shape, Name extends string>(
    kernel: Kernel<Shape, Name>,
    shape: Shape,
    operands: Readonly<Record<Name, Bindable>>,
  ): void {
    launch(this.gpu, kernel, shape, operands);
  }

  /** Reads several tensors back with one wait, as float32. */
  async read(tensors: readonly Tensor[]): Promise<Float32Array<ArrayBuffer>[]> {
    const contents = await this.gpu.read(
      tensors.map((tensor) => ({ ...tensor.range(), size: tensor.bytes })),
    );
    return contents.map((bytes, i) =>
      tensors[i]!.type === "float16" ? new Float32Array(new Float16Array(bytes)) : new Float32Array(bytes)
    );
  }

  /** Runs `work`, then disposes of every tensor made in it except the result. */
  scope<Result extends Tensor | void>(work: () => Result): Result {
    const outer = this.#scope;
    const scope = this.#scope = new Set<Tensor>();
    let result: Result | undefined;
    try {
      return result = work();
    } finally {
      this.#scope = outer;
      for (const tensor of scope) {
        if (tensor === result) outer?.add(tensor);
        else tensor.dispose();
      }
    }
  }

  /**
   * Runs `forward`, which returns a scalar, and differentiates it by the given variables (reverse mode). Operations
   * compute no gradients other than those that lead to the variables. Calls may be nested: the inner one records on a
   * tape of its own and leaves the outer one untouched.
   * @returns the scalar and the gradients with respect to `inputs`; the caller owns them all.
   */
  differentiate(variables: Variables, forward: () => Tensor): { value: Tensor; gradients: Tensor[] } {
    const outer = this.#tape;
    const tape = this.#tape = new Tape(this, variables.parameters ?? [], variables.inputs ?? []);
    try {
      const value = forward();
      this.#tape = undefined;
      return { value, gradients: tape.backward(value) };
    } finally {
      this.#tape = outer;
    }
  }

  /** Captures the work that `build` records as a plan that can run again and again. */
  capture(build: () => void): Plan {
    return this.gpu.capture(() => this.scope(build));
  }

  /** Puts a new tensor into the current scope. */
  adopt(tensor: Tensor): Tensor {
    this.#scope?.add(tensor);
    return tensor;
  }

  /** Takes a tensor out of the current scope once its creator has disposed of it. */
  forget(tensor: Tensor): void {
    this.#scope?.delete(tensor);
  }
}
