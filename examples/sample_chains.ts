/** The chains of `sample.ts`, in Deno and Node, and of the page `sample.html`. Nothing here belongs to one of the three. */

import {
  type ByteImage,
  Context,
  frozenTraining,
  generate,
  Gpu,
  hasReplayImages,
  imageGrid,
  modelFrom,
  permutation,
  Purpose,
  RandomStream,
  readModelFile,
  replayImages,
  streamWords,
  type Tensor,
  unconditionalScore,
  UniformInitialisation,
} from "sada-jem";

const count = 100;
const seed = 1;

/**
 * Draws a hundred images x from p(x) by SGLD with the model's own K, α and σ. The chains are one batch, whose statistics batch norm
 * takes as in training.
 * @param file a model file, such as `data/models/digits.safetensors`
 * @param show called with the pictured start, and with the chains after each step
 * @returns the mean energy −log p̃(x) of the images
 */
export async function drawSamples(
  file: Uint8Array,
  show: (picture: ByteImage, step: number) => void,
): Promise<number> {
  const checkpoint = await readModelFile(file);
  const { configuration: { steps, stepSize, noiseScale }, images: { height, width, channels } } = checkpoint;
  const context = new Context(await Gpu.request());
  const model = modelFrom(context, checkpoint);
  const score = unconditionalScore(model, frozenTraining);
  const images = hasReplayImages(checkpoint)
    ? fromReplayBuffer(context, replayImages(checkpoint))
    : fromNoise(context, [height, width, channels]);

  const picture = async () => imageGrid(await images.read(), { count, height, width, channels });
  show(await picture(), 0);
  const streamOf = (step: number) => streamWords(seed, step);
  await generate(score, images, { steps, stepSize, noiseScale }, streamOf, async (step) => {
    show(await picture(), step + 1);
  });
  const scores = await score(images).read();
  context.gpu.destroy();
  return -scores.reduce((sum, value) => sum + value, 0) / count;
}

/** Ends of chains of the training, drawn at random. */
function fromReplayBuffer(context: Context, { shape, data }: ReturnType<typeof replayImages>): Tensor {
  const [capacity = 0, ...imageShape] = shape;
  const pixels = data.length / capacity;
  const order = permutation(new RandomStream(seed, Purpose.sampling, 0), capacity);
  const entries = Array.from({ length: count }, (_, i) => order[i % capacity]!);
  const drawn = Float32Array.from(
    entries.flatMap((entry) => [...data.subarray(entry * pixels, (entry + 1) * pixels)]),
  );
  return context.from(drawn, [count, ...imageShape]);
}

/** For models that come without a replay buffer. */
function fromNoise(context: Context, imageShape: readonly [number, number, number]): Tensor {
  const stream = context.from(streamWords(seed, 0), [4]);
  return new UniformInitialisation(imageShape).fresh(stream, context.zeros([count], "uint32"));
}
