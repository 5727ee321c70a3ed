/** Real CIFAR-10, CIFAR-100 and MNIST images load, make a picture, and teach a small network. */

import { decode } from "fast-png";
import assert from "node:assert/strict";
import type { Dataset } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/load.ts";
import { encodePng } from "../../src/formats/pictures/png.ts";
import { imageGrid } from "../../src/formats/pictures/image_grid.ts";
import { Context } from "../../src/tensor/context.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { testGpu } from "../kernels/harness.ts";
import { isPresent, realData } from "../real_data.ts";

const iterations = 200;

/** A folder of links that give the files the names of a whole data set. The linked files are only parts of it. */
async function linked(links: Readonly<Record<string, string>>): Promise<string> {
  const target = await Deno.makeTempDir();
  for (const [name, path] of Object.entries(links)) {
    await Deno.symlink(`${realData}/${path}`, `${target}/${name}`);
  }
  return target;
}

const sample = "cifar-100-binary/mixed_sample2000.bin.gz";
const sets = {
  cifar10: { "cifar-10-batches-bin": "cifar-10-batches-bin" },
  cifar100: { "train.bin.gz": sample, "test.bin.gz": sample },
  mnist: {
    "train-images-idx3-ubyte.gz": "mnist/t10k-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz": "mnist/t10k-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz": "mnist/t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz": "mnist/t10k-labels-idx1-ubyte.gz",
  },
} as const;

for (const [name, links] of Object.entries(sets) as [keyof typeof sets, Record<string, string>][]) {
  const first = `${realData}/${Object.values(links)[0]}`;
  Deno.test({
    name: `real images of ${name} make a picture and teach a small net (skipped without ${first})`,
    ignore: !await isPresent(first),
    async fn() {
      const path = await linked(links);
      try {
        const dataset = await loadDataset({ name, folder: path, limit: 200 });
        assertPicture(dataset);
        await assertLearning(dataset);
      } finally {
        await Deno.remove(path, { recursive: true });
      }
    },
  });
}

/** The first hundred images as a grid, in a PNG file that the decoder of another program can read. */
function assertPicture({ train, height, width, channels }: Dataset): void {
  const count = 100;
  const images = Float32Array.from(
    train.bytes.subarray(0, count * height * width * channels),
    (v) => v / 127.5 - 1,
  );
  const grid = imageGrid(images, { count, height, width, channels });
  const { data } = decode(encodePng(grid));
  assert.deepEqual([...data], [...grid.data]);
  assert(new Set(data).size > 100);
}

/**
 * From a few hundred small batches of the same images, a network of width 1 learns more than the classes' frequencies.
 */
async function assertLearning(dataset: Dataset): Promise<void> {
  const classes = dataset.classNames.length;
  const configuration = parseConfiguration({
    depth: 10,
    width: 1,
    likelihoodWeight: 0,
    rho: 0,
    labelledBatch: 8,
    likelihoodBatch: 1,
    padding: 0,
    flip: false,
    learningRate: 0.02,
    warmup: 20,
    iterations,
    decayIterations: [],
  });
  const trainer = new Trainer(new Context(await testGpu()), configuration, dataset);
  const losses: number[] = [];
  for (let i = 0; i < iterations; i++) {
    await trainer.advance();
    if (i % 50 === 49) losses.push(...(await trainer.fetchReports()).map(({ crossEntropy }) => crossEntropy));
  }
  const late = losses.slice(-50).reduce((sum, loss) => sum + loss / 50, 0);
  assert(late < 0.97 * Math.log(classes), `cross-entropy ${late}, and ${Math.log(classes)} by guessing`);
}
