/**
 * The loss around a model's parameters: along SAM's ascent direction, on a plane of random directions, and its curvature.
 * The loss is the mean cross-entropy on given images, with batch statistics that do not move, as in SAM's second pass.
 */

import { frozenTraining, type WideResNet } from "../nn/wide_resnet.ts";
import { Purpose, RandomStream } from "../random/philox.ts";
import { mean } from "../tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../tensor/operations/softmax_cross_entropy.ts";
import type { Parameter } from "../tensor/parameters.ts";
import { elements, type Tensor } from "../tensor/tensor.ts";

/** A vector over all trained parameters, in the order of the flat vectors. */
type Vector = Float64Array;

/** Explores the loss around one point in parameter space. {@link restore} must be called at the end. */
export class Landscape {
  readonly #model: WideResNet;
  readonly #images: Tensor;
  readonly #labels: Tensor;
  readonly #origin: Float32Array<ArrayBuffer>;

  private constructor(model: WideResNet, images: Tensor, labels: Tensor, origin: Float32Array<ArrayBuffer>) {
    this.#model = model;
    this.#images = images;
    this.#labels = labels;
    this.#origin = origin;
  }

  /**
   * @param images `[N, H, W, C]`
   * @param labels label of each
   */
  static async of(model: WideResNet, images: Tensor, labels: Uint32Array): Promise<Landscape> {
    const targets = model.context.from(labels, [labels.length]);
    return new Landscape(model, images, targets, await model.parameters.values.read());
  }

  /** Puts the model's parameters back. */
  restore(): void {
    this.#model.parameters.values.write(this.#origin);
  }

  /** The loss at θ + Σ_k coordinates[k]·directions[k]. */
  async lossAt(directions: readonly Vector[], coordinates: readonly number[]): Promise<number> {
    this.#moveTo(directions, coordinates);
    using loss = this.#model.context.scope(() => this.#loss());
    return (await loss.read())[0]!;
  }

  /** The gradient at the same point. */
  async gradientAt(directions: readonly Vector[], coordinates: readonly number[]): Promise<Vector> {
    this.#moveTo(directions, coordinates);
    const { parameters, context } = this.#model;
    parameters.gradients.clear();
    context.differentiate({ parameters: parameters.trainable }, () => this.#loss()).value.dispose();
    return Float64Array.from((await parameters.gradients.read()).subarray(0, parameters.trainableLength));
  }

  /**
   * SAM's ascent direction scaled to ρ = 1: T²g/‖Tg‖ with T = |θ| (ASAM) or 1, along which the optimiser climbs.
   * @param adaptive whether T = |θ|
   */
  async ascentDirection(adaptive: boolean): Promise<Vector> {
    const gradient = await this.gradientAt([], []);
    const scale = gradient.map((_, i) => adaptive ? Math.abs(this.#origin[i]!) : 1);
    const norm = length(gradient.map((g, i) => scale[i]! * g)) + 1e-12;
    return gradient.map((g, i) => scale[i]! ** 2 * g / norm);
  }

  /**
   * A random direction, filter-normalised (Li et al., NeurIPS 2018): each filter has the norm of the model's own, and
   * biases and norms get zero.
   */
  randomDirection(seed: number, index: number): Vector {
    const stream = new RandomStream(seed, Purpose.direction, index);
    const { parameters } = this.#model;
    const direction = new Float64Array(parameters.trainableLength);
    for (const parameter of parameters.trainable) {
      if (parameter.shape.length > 1) fillFilters(direction, parameter, this.#origin, stream);
    }
    return direction;
  }

  /**
   * The Hessian's largest eigenvalue, by power iteration on products H·v ≈ (∇L(θ + εv) − ∇L(θ − εv)) / 2ε.
   * @param afterIteration called after each iteration
   * @returns the Rayleigh quotient after the last iteration
   */
  async largestEigenvalue(iterations: number, seed: number, afterIteration?: () => void): Promise<number> {
    const stream = new RandomStream(seed, Purpose.direction, 2 ** 20);
    const size = length(Float64Array.from(this.#origin));
    let vector: Vector = Float64Array.from(
      { length: this.#model.parameters.trainableLength },
      (_, i) => this.#origin[i] === 0 ? 0 : stream.normal(i),
    );
    let eigenvalue = 0;
    for (let i = 0; i < iterations; i++) {
      vector = normalised(vector);
      // Relative to the parameters' size: float32 gradients resolve no smaller step.
      const step = 1e-3 * size;
      const [ahead, behind] = [
        await this.gradientAt([vector], [step]),
        await this.gradientAt([vector], [-step]),
      ];
      const product = ahead.map((g, k) => (g - behind[k]!) / (2 * step));
      eigenvalue = product.reduce((total, value, k) => total + value * vector[k]!, 0);
      vector = product;
      afterIteration?.();
    }
    return eigenvalue;
  }

  #moveTo(directions: readonly Vector[], coordinates: readonly number[]): void {
    const moved = this.#origin.slice();
    directions.forEach((direction, k) =>
      direction.forEach((value, i) => moved[i]! += coordinates[k]! * value)
    );
    this.#model.parameters.values.write(moved);
  }

  #loss(): Tensor {
    const tracked = this.#model.runningStatistics.batchesTracked;
    const logits = this.#model.classify(this.#images, frozenTraining);
    this.#model.runningStatistics.batchesTracked = tracked;
    return mean(softmaxCrossEntropy(logits, this.#labels).losses);
  }
}

/** Random values for one parameter; the last index counts its filters, `[kh, kw, in, out]` or `[in, out]`. */
function fillFilters(
  direction: Vector,
  { offset, shape }: Parameter,
  origin: Float32Array,
  stream: RandomStream,
): void {
  const filters = shape.at(-1)!;
  const size = elements(shape);
  for (let filter = 0; filter < filters; filter++) {
    let [own, drawn] = [0, 0];
    for (let i = offset + filter; i < offset + size; i += filters) {
      direction[i] = stream.normal(i);
      own += origin[i]! ** 2;
      drawn += direction[i]! ** 2;
    }
    const factor = Math.sqrt(own / drawn);
    for (let i = offset + filter; i < offset + size; i += filters) direction[i]! *= factor;
  }
}

function length(vector: Vector): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

function normalised(vector: Vector): Vector {
  const norm = length(vector) || 1;
  return vector.map((value) => value / norm);
}
