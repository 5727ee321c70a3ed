import { Draw, stratifiedDraw } from "../../data/draw.ts";
import { inBatches } from "../../distributed/batches.ts";
import { generate } from "../../jem/generate.ts";
import { unconditionalScore } from "../../jem/score.ts";
import { Purpose, RandomStream, streamWords } from "../../random/philox.ts";
import { hasReplayImages, replayImages } from "../../train/checkpoint/checkpoint.ts";
import { informativeStart, samplingSteps } from "../../train/chain_starts.ts";
import { startReference } from "../../train/reference_start.ts";
import type { QuestionOptions, Subject } from "../question.ts";

/** Chains that run at once. */
const batchSize = 100;

/** Generated images, `[N, H, W, C]` in [−1, 1]. */
export interface Samples {
  readonly images: Float32Array<ArrayBuffer>;
  readonly count: number;
  /** Their source, in words. */
  readonly origin: string;
}

/** Samples to judge: fresh chains on request, otherwise entries drawn from the replay buffer; undefined without one. */
export async function samplesOf(subject: Subject, options: QuestionOptions): Promise<Samples | undefined> {
  if (options.freshSamples > 0) return await freshSamples(subject, options);
  return bufferSamples(subject, options.generatedImages);
}

/**
 * At most `most` entries drawn from the replay buffer; undefined without one. A smaller number gives the first of a
 * larger one.
 */
export function bufferSamples({ checkpoint }: Subject, most: number): Samples | undefined {
  if (!hasReplayImages(checkpoint)) return undefined;
  const { data, shape: [capacity = 0, ...image] } = replayImages(checkpoint);
  const pixels = image.reduce((product, extent) => product * extent, 1);
  const count = Math.min(capacity, most);
  const images = new Float32Array(count * pixels);
  // The buffer was filled class by class, and most entries are still near where their chains started.
  const { classNames: { length: classes } } = checkpoint.images;
  const filledWith = Uint32Array.from(
    { length: capacity },
    (_, entry) => Math.floor(entry * classes / capacity),
  );
  stratifiedDraw(filledWith, count, Draw.samples).forEach((entry, i) => {
    images.set(data.subarray(entry * pixels, (entry + 1) * pixels), i * pixels);
  });
  return { images, count, origin: "entries of the replay buffer" };
}

/** The ends of chains of the training's length and step size, from informative starts of uniformly drawn classes. */
async function freshSamples(
  { model, train, checkpoint, communicator }: Subject,
  { freshSamples: count, seed }: QuestionOptions,
): Promise<Samples> {
  const { context, architecture: { classes } } = model;
  const { configuration } = checkpoint;
  const { noiseScale, stepSize, innerStepSize } = configuration;
  const steps = samplingSteps(checkpoint);
  const chain = { steps, noiseScale, stepSize: stepSize || innerStepSize };
  const start = informativeStart(context, checkpoint, () => train);
  const settings = { ...chain, start: "informative", seed, conditional: false, keep: true } as const;
  const reference = await startReference(model, checkpoint, settings, () => Promise.resolve(start));
  const [images] = await inBatches(count, batchSize, async (first, size) => {
    const draw = new RandomStream(seed, Purpose.sampling, 2 ** 30 + first);
    const labels = Uint32Array.from({ length: size }, (_, i) => draw.integer(i, classes));
    using chains = context.scope(() => {
      return start.fresh(context.from(streamWords(seed, first), [4]), context.from(labels, [size]));
    });
    await generate(
      unconditionalScore(model, reference?.mode),
      chains,
      { ...chain, reference },
      (step) => streamWords(seed, first * steps + step),
    );
    return [await chains.read()];
  }, { communicator });
  reference?.destroy();
  return { images, count, origin: `fresh chains of ${steps} steps from informative starts` };
}
