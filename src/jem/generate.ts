import type { Plan } from "../gpu/plan.ts";
import { Purpose } from "../random/philox.ts";
import { blockAt, normal } from "../tensor/operations/random.ts";
import { elements, type Tensor } from "../tensor/tensor.ts";
import type { ReferenceChains } from "./reference_chains.ts";
import { type Score, sgldStep } from "./sgld.ts";

/** How evaluation-time chains run. */
export interface GenerationOptions {
  readonly steps: number;
  readonly stepSize: number;
  readonly noiseScale: number;
  /**
   * Number of chains of the same streams that come before these, a multiple of 4; 0 by default. These chains get the
   * noise that they would get if all ran at once.
   */
  readonly first?: number | undefined;
  /** Chains of all classes that run beside these. The score must use their mode; see {@link ReferenceChains}. */
  readonly reference?: ReferenceChains | undefined;
  /** Steps that the reference chains take first; 0 by default. */
  readonly stepsBefore?: number | undefined;
  /** Ends the chains after the current step when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the recorded step before its first run, and awaited: see `compileAhead`. */
  readonly prepare?: ((step: Plan) => Promise<void>) | undefined;
}

/**
 * SGLD at evaluation time: batch norm keeps the score's mode, and the gradient is not clamped. The ends of the chains
 * overwrite `images`.
 * @param streamOf gives the words of the random stream for a step's noise; see `streamWords`
 * @param afterStep called after each step, for pictures of the chain; awaited
 */
export async function generate(
  score: Score,
  images: Tensor,
  { steps, stepSize, noiseScale, first = 0, reference, stepsBefore = 0, signal, prepare }: GenerationOptions,
  streamOf: (step: number) => Uint32Array,
  afterStep?: (step: number) => Promise<void> | void,
): Promise<void> {
  const { context } = images;
  const options = { steps: 1, stepSize, noiseScale, gradientClamp: Infinity };
  const block = blockAt(first * elements(images.shape.slice(1)));
  const stream = context.zeros([4], "uint32");
  const plan = context.capture(() => {
    const noise = noiseScale > 0 ? normal(stream, Purpose.sampling, images.shape, block) : undefined;
    images.copyFrom(sgldStep(score, images, options, noise));
  });
  try {
    await prepare?.(plan);
    for (let step = 0; step < steps && !signal?.aborted; step++) {
      await reference?.at(stepsBefore + step);
      stream.write(streamOf(step));
      await context.gpu.runAtPace(plan);
      await afterStep?.(step);
    }
    await context.read([stream]);
  } finally {
    plan.destroy();
    stream.dispose();
  }
}
