import { Gpu } from "../../src/gpu/gpu.ts";
import { generate } from "../../src/jem/generate.ts";
import { unconditionalScore } from "../../src/jem/score.ts";
import { RandomStream, streamWords } from "../../src/random/philox.ts";
import { Context } from "../../src/tensor/context.ts";
import { modelFrom } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";

const batch = 64;
const rounds = 8;
/** Steps of a round. The host waits once, at its end. */
const stepsPerRound = 8;

/** Times of steps of SGLD on one adapter. */
export interface SgldTimes {
  readonly adapter: string;
  /** Mean time of a step in each round, in milliseconds. */
  readonly milliseconds: readonly number[];
  /** The first step, with the compilation of all pipelines, in seconds. */
  readonly firstStep: number;
}

/** Times steps of SGLD with a batch of 64 images; runs in Deno and in a browser. */
export async function timeSgldSteps(file: Uint8Array<ArrayBuffer>): Promise<SgldTimes> {
  const context = new Context(await Gpu.request());
  const checkpoint = await readModelFile(file);
  const model = modelFrom(context, checkpoint);
  const { height, width, channels } = checkpoint.images;
  const start = new RandomStream(1, 0, 0);
  const pixels = Float32Array.from(
    { length: batch * height * width * channels },
    (_, i) => 2 * start.uniform(i) - 1,
  );
  const images = context.from(pixels, [batch, height, width, channels]);
  const run = async (steps: number) => {
    const began = performance.now();
    const options = { steps, stepSize: 0.1, noiseScale: 0.01 };
    await generate(unconditionalScore(model), images, options, (step) => streamWords(1, step));
    return performance.now() - began;
  };
  const firstStep = await run(1) / 1000;
  const milliseconds: number[] = [];
  for (let round = 0; round < rounds; round++) milliseconds.push(await run(stepsPerRound) / stepsPerRound);
  const { adapterName: adapter } = context.gpu;
  context.gpu.destroy();
  return { adapter, milliseconds, firstStep };
}
