import { samAscent } from "../kernels/optimiser/sam_ascent.ts";
import { samNorm, samNormPartials } from "../kernels/optimiser/sam_norm.ts";
import { samScale } from "../kernels/optimiser/sam_scale.ts";
import type { ParameterSet } from "../tensor/parameters.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { forEachChunk } from "./chunks.ts";
import type { Optimizer, StepInputs } from "./optimizer.ts";

/** Settings of {@link SharpnessAware}. */
export interface SharpnessAwareOptions {
  /** Radius ρ of the neighbourhood; 0 takes plain steps of the base optimiser. */
  readonly rho: number;
  /** Scale the neighbourhood by |θ|, element by element (ASAM). */
  readonly adaptive: boolean;
}

/** Which of a step's two gradients is being computed. */
export type Pass = "first" | "second";

/**
 * Sharpness-aware minimisation (Foret et al., 2021; adaptive: Kwon et al., 2021) around a base optimiser. One step:
 * g = ∇L(θ); climb to θ̂ = θ + ρ·T²g / (‖T g‖ + 1e-12), T = |θ| if adaptive, else 1; ĝ = ∇L(θ̂); return to θ; descend
 * along ĝ. The norm stays on the GPU.
 */
export class SharpnessAware {
  /** ‖T g‖ of the last step, `[1]`; NaN without ascent. */
  readonly gradientNorm: Tensor;
  /** θ while the parameters are at θ̂; undefined without ascent. */
  readonly saved: Tensor | undefined;
  readonly #parameters: ParameterSet;
  readonly #base: Optimizer;
  readonly #options: SharpnessAwareOptions;
  readonly #scale: Tensor;

  constructor(parameters: ParameterSet, base: Optimizer, options: SharpnessAwareOptions) {
    const { context } = parameters.values;
    this.#parameters = parameters;
    this.#base = base;
    this.#options = options;
    this.#scale = context.zeros([2]).disown();
    this.gradientNorm = context.from(Float32Array.of(NaN), [1]).disown();
    if (options.rho > 0) this.saved = context.empty([parameters.trainableLength]).disown();
  }

  /**
   * Records one step.
   * @param addGradients adds ∇L at the current parameters to their gradients; called once for each pass.
   */
  step(inputs: StepInputs, addGradients: (pass: Pass) => void): void {
    this.findGradient(addGradients);
    this.descend(inputs);
  }

  /** Records a step up to the descent: leaves ĝ in the gradients, or g without ascent. */
  findGradient(addGradients: (pass: Pass) => void): void {
    const { gradients } = this.#parameters;
    gradients.clear();
    addGradients("first");
    if (this.saved) {
      this.climb();
      gradients.clear();
      addGradients("second");
      this.return();
    }
  }

  /** Records the base optimiser's step along the gradients. */
  descend(inputs: StepInputs): void {
    this.#base.step(inputs);
  }

  /** θ ← θ̂, remembering θ. */
  climb(): void {
    const { values, gradients, trainableLength } = this.#parameters;
    const { context } = values;
    const { rho, adaptive } = this.#options;
    const vectors = { parameters: values, gradient: gradients };
    using trained = values.slice(0, [trainableLength]);
    this.saved!.copyFrom(trained);

    using partials = this.#normPartials(vectors);
    context.launch(samScale, { partials: partials.size, rho }, { partials, scale: this.#scale });
    forEachChunk(
      vectors,
      trainableLength,
      (chunk, length) => context.launch(samAscent, { length, adaptive }, { ...chunk, scale: this.#scale }),
    );
    context.gpu.copy(
      { ...this.#scale.range(), offset: this.#scale.range().offset + 4, size: 4 },
      { ...this.gradientNorm.range(), size: 4 },
    );
  }

  /** θ̂ → θ. */
  return(): void {
    using trained = this.#parameters.values.slice(0, [this.#parameters.trainableLength]);
    trained.copyFrom(this.saved!);
  }

  /** Partial sums of (T g)² over the whole vector, gathered from its chunks. */
  #normPartials(vectors: { parameters: Tensor; gradient: Tensor }): Tensor {
    const { context } = vectors.parameters;
    const { trainableLength } = this.#parameters;
    const { adaptive } = this.#options;
    const parts: Tensor[] = [];
    forEachChunk(vectors, trainableLength, (chunk, length) => {
      const part = context.empty([samNormPartials(length)]);
      context.launch(samNorm, { length, adaptive }, { ...chunk, partials: part });
      parts.push(part);
    });
    if (parts.length === 1) return parts[0]!;
    const all = context.empty([parts.reduce((sum, part) => sum + part.size, 0)]);
    let start = 0;
    for (const part of parts) {
      const { buffer, offset } = all.range();
      const size = part.size * 4;
      context.gpu.copy({ ...part.range(), size }, { buffer, offset: offset + start, size });
      start += size;
      part.dispose();
    }
    return all;
  }
}
