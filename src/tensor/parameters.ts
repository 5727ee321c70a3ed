import type { Context } from "./context.ts";
import { elements, type Tensor } from "./tensor.ts";

/** Parameters start at multiples of this many elements: every WebGPU device can bind at multiples of 256 bytes. */
const alignment = 64;

/** One named trainable tensor: a view into the flat vectors of a {@link ParameterSet}. */
export class Parameter {
  #views: { value: Tensor; gradient: Tensor } | undefined;

  constructor(
    /** The official PyTorch name, for example `f.layer1.0.conv1.weight`. */
    readonly name: string,
    /** Shape in this project's layout: convolutions `[kh, kw, in, out]`, linear layers `[in, out]`. */
    readonly shape: readonly number[],
    /** Inputs that enter one output. They set the range of the initial values; 0 for norms. */
    readonly fanIn: number,
    /** First element within the flat vectors. */
    readonly offset: number,
  ) {}

  /** The parameter itself. */
  get value(): Tensor {
    return this.#bound().value;
  }

  /** The gradient that backward passes add to. */
  get gradient(): Tensor {
    return this.#bound().gradient;
  }

  /** Places the parameter in flat vectors. */
  bind(values: Tensor, gradients: Tensor): void {
    this.#views = {
      value: values.slice(this.offset, this.shape).disown(),
      gradient: gradients.slice(this.offset, this.shape).disown(),
    };
  }

  #bound(): { value: Tensor; gradient: Tensor } {
    if (!this.#views) throw new Error(`parameter ${this.name} is used before its set was allocated`);
    return this.#views;
  }
}

/**
 * All parameters of a model in one flat vector, and their gradients in another, so that an optimiser step, a SAM climb
 * or a norm is one kernel over one vector. Modules {@link declare} their parameters; {@link allocate} then lays them
 * out. Gaps between parameters hold zeros in every flat vector.
 */
export class ParameterSet {
  readonly #declared: Parameter[] = [];
  #length = 0;
  #trainableLength: number | undefined;
  #vectors: { values: Tensor; gradients: Tensor } | undefined;

  /** Declares a parameter. Its place follows those declared before. */
  declare(name: string, shape: readonly number[], fanIn = 0): Parameter {
    const parameter = new Parameter(name, shape, fanIn, this.#length);
    this.#declared.push(parameter);
    this.#length += Math.ceil(elements(shape) / alignment) * alignment;
    return parameter;
  }

  /** Whatever is declared from here on stays as it is: no gradient, no step, no weight decay. */
  freezeRest(): void {
    this.#trainableLength = this.#length;
  }

  /** Allocates the flat vectors, filled with zeros. */
  allocate(context: Context): void {
    const values = context.zeros([this.#length]).disown();
    const gradients = context.zeros([this.#length]).disown();
    this.#vectors = { values, gradients };
    for (const parameter of this.#declared) parameter.bind(values, gradients);
  }

  /** All parameters in the order of declaration. */
  get all(): readonly Parameter[] {
    return this.#declared;
  }

  /** The trained parameters. */
  get trainable(): readonly Parameter[] {
    return this.#declared.filter(({ offset }) => offset < this.trainableLength);
  }

  /** Number of elements at the start of the flat vectors that belong to trained parameters. */
  get trainableLength(): number {
    return this.#trainableLength ?? this.#length;
  }

  /** The flat vector of all parameters. */
  get values(): Tensor {
    return this.#allocated().values;
  }

  /** The flat vector of all gradients. */
  get gradients(): Tensor {
    return this.#allocated().gradients;
  }

  #allocated(): { values: Tensor; gradients: Tensor } {
    if (!this.#vectors) throw new Error("the parameters have not been allocated");
    return this.#vectors;
  }
}
