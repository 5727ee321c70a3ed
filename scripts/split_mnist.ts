/** Divides MNIST's 10,000 test images for the bundled model `mnist-28`, whose training images they are. */

import { type Command, execute, exitStatus, print, UsageError } from "../src/cli/command.ts";
import { selectImages } from "../src/data/dataset.ts";
import { loadMnist } from "../src/data/mnist.ts";
import { concatenate } from "../src/formats/bytes.ts";
import { writeAtomically } from "../src/train/run/files.ts";

/** One image of this many is held out. */
const heldOut = 10;
const side = 28;

/** An IDX file of unsigned bytes. */
function idx(shape: readonly number[], data: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 | shape.length);
  shape.forEach((extent, axis) => header.setUint32(4 + 4 * axis, extent));
  return concatenate([new Uint8Array(header.buffer), data]);
}

const command: Command = {
  help: `
Divide MNIST's test images into nine tenths for training and one tenth, images 9, 19, 29 and so on, for testing.

Usage: deno run --allow-read --allow-write=data scripts/split_mnist.ts FOLDER OUT

  FOLDER   folder with t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, gzipped or not
  OUT      folder for four files with the names of MNIST's, made if there is none
`,
  async run([folder, out, ...more]) {
    if (folder === undefined || out === undefined || more.length > 0) {
      throw new UsageError("two folders are expected, the one to read and the one to write");
    }
    const { test } = await loadMnist(folder, true);
    await Deno.mkdir(out, { recursive: true });
    const all = test.labels.map((_, i) => i);
    for (const [name, isHeldOut] of [["train", false], ["t10k", true]] as const) {
      const indices = all.filter((i) => (i % heldOut === heldOut - 1) === isHeldOut);
      const { bytes, labels, count } = selectImages(test, indices);
      await writeAtomically(`${out}/${name}-images-idx3-ubyte`, idx([count, side, side], bytes));
      await writeAtomically(`${out}/${name}-labels-idx1-ubyte`, idx([count], Uint8Array.from(labels)));
      print(`${name}: ${count} images`);
    }
    return exitStatus.success;
  },
};

await execute(command);
