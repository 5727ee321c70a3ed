/**
 * The digits model as a prior: images are restored by sampling from p(x | y) ∝ p(x) · p(y | x), where y is what is left of
 * an image, with noise on every pixel or with pixels missing, and p(x) the model's density. Langevin dynamics follows the
 * gradient of log p(x) + log p(y | x), which is written down here as any other operation is.
 *
 *     deno run --allow-read=data --allow-write=restored.png examples/restore.ts
 */

import {
  add,
  Context,
  decodeCheckpoint,
  DeviceImages,
  encodePng,
  evaluation,
  generate,
  Gpu,
  imageGrid,
  InformativeInitialisation,
  loadDigits,
  modelFrom,
  multiply,
  RandomStream,
  ReferenceChains,
  referenceCount,
  type Score,
  streamWords,
  sum,
  unconditionalScore,
} from "sada-jem";

const count = 20;
const classes = 10;
const pixelCount = 64;
const seed = 1;
const chain = { steps: 30, stepSize: 0.05, noiseScale: 0.01 };

/** What is left of images. */
interface Observation {
  readonly pixels: Float32Array;
  /** How much log p(y | x) = −½ Σ precision · (x − y)² trusts each pixel; 0 where it is missing. */
  readonly precision: Float32Array;
}

const read = (path: string) => Deno.readFile(new URL(`../data/${path}`, import.meta.url));
const checkpoint = await decodeCheckpoint(await read("models/digits.safetensors"));
const digits = await loadDigits(await read("digits/digits.csv.gz"));
const context = new Context(await Gpu.request());
const model = modelFrom(context, checkpoint);
const trainingImages = new DeviceImages(context, digits, digits.train);
const starts = new InformativeInitialisation(context, trainingImages, digits.train.labels, classes);

/** Starts of as many chains of each class; another stream makes others. */
function startsOf(chains: number, stream: number) {
  const labels = Uint32Array.from({ length: chains }, (_, i) => Math.floor(i * classes / chains));
  return starts.fresh(context.from(streamWords(seed, 0, stream), [4]), context.from(labels, [chains]));
}

// Chains of the prior alone: the others take the statistics of batch norm from them, and so do not depend on each other.
const reference = new ReferenceChains(model, startsOf(referenceCount(classes), 1), {
  ...{ ...chain, keep: true },
  streamOf: (step) => streamWords(seed, step, 1),
});
const logPrior = unconditionalScore(model, reference.mode);

/** Restores images: of ten chains for each, one from every class's Gaussian, the one that ends where p(x | y) is largest. */
async function restore({ pixels, precision }: Observation): Promise<Float32Array> {
  const chains = classes * count;
  const shape = [chains, 8, 8, 1];
  const observed = context.from(repeat(pixels), shape);
  const weights = context.from(repeat(precision), shape);
  const images = startsOf(chains, 0);
  const logPosterior: Score = (x) => {
    using priors = logPrior(x);
    using prior = sum(priors);
    using difference = add(x, observed, -1);
    using weighted = multiply(difference, weights);
    using squares = multiply(weighted, difference);
    using distance = sum(squares);
    return add(prior, distance, -0.5);
  };
  await generate(logPosterior, images, { ...chain, reference }, (step) => streamWords(seed, step));
  return best(await images.read(), await logPrior(images).read(), { pixels, precision });
}

/** The same values once for each class. */
function repeat(values: Float32Array): Float32Array {
  return Float32Array.from({ length: classes * values.length }, (_, i) => values[i % values.length]!);
}

/** For each image the most probable of its chains' ends. */
function best(ends: Float32Array, priors: Float32Array, { pixels, precision }: Observation): Float32Array {
  const chosen = new Float32Array(count * pixelCount);
  for (let n = 0; n < count; n++) {
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) {
      const end = ends.subarray((c * count + n) * pixelCount, (c * count + n + 1) * pixelCount);
      const logPosterior = end.reduce((total, value, p) => {
        const at = n * pixelCount + p;
        return total - precision[at]! * (value - pixels[at]!) ** 2 / 2;
      }, priors[c * count + n]!);
      if (logPosterior <= largest) continue;
      largest = logPosterior;
      chosen.set(end, n * pixelCount);
    }
  }
  return chosen;
}

/** Noise of a standard deviation. The model's energies are known up to a scale, so the precision is less than 1 / σ². */
function addNoise(images: Float32Array, deviation: number): Observation {
  const noise = new RandomStream(seed, 100, 0);
  return {
    pixels: images.map((value, i) => Math.min(1, Math.max(-1, value + deviation * noise.normal(i)))),
    precision: images.map(() => 0.3 / deviation ** 2),
  };
}

/** Images without their last rows. */
function removeRows(images: Float32Array, rows: number): Observation {
  const missing = (i: number) => i % pixelCount >= pixelCount - 8 * rows;
  return {
    pixels: images.map((value, i) => missing(i) ? 0 : value),
    precision: images.map((_, i) => missing(i) ? 0 : 10),
  };
}

/** How far images are from the true ones, and how many the model classifies rightly. */
async function assess(images: Float32Array, truth: Float32Array): Promise<string> {
  const squares = images.reduce((total, value, i) => total + (value - truth[i]!) ** 2, 0);
  const logits = await model.classify(context.from(images, [count, 8, 8, 1]), evaluation).read();
  const labels = Array.from({ length: count }, (_, i) => {
    const row = logits.subarray(classes * i, classes * (i + 1));
    return row.indexOf(Math.max(...row));
  });
  const right = labels.filter((label, i) => label === digits.test.labels[i]).length;
  return `error ${Math.sqrt(squares / images.length).toFixed(3)}, ${right} of ${count} classified rightly`;
}

const truth = await new DeviceImages(context, digits, digits.test).range(0, count).read();
const rows: Float32Array[] = [truth];
for (
  const [name, observation] of Object.entries({ noisy: addNoise(truth, 0.6), cut: removeRows(truth, 3) })
) {
  const restored = await restore(observation);
  rows.push(observation.pixels, restored);
  // deno-lint-ignore no-console -- this is the program's output
  console.log(
    `${name}: ${await assess(observation.pixels, truth)}; restored: ${await assess(restored, truth)}`,
  );
}
const all = Float32Array.from(rows.flatMap((row) => [...row]));
const grid = imageGrid(all, { count: rows.length * count, height: 8, width: 8, channels: 1 }, {
  columns: count,
});
await Deno.writeFile("restored.png", encodePng(grid));
