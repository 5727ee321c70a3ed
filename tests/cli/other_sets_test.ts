import assert from "node:assert/strict";
import { otherSets } from "../../src/cli/other_sets.ts";
import { UsageError } from "../../src/cli/command.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { DataError } from "../../src/errors.ts";
import { encodePng } from "../../src/formats/pictures/png.ts";
import { idx, mat } from "../formats/samples.ts";
import { refuses } from "../refusal.ts";
import { withFiles } from "../temporary.ts";

const none = { bytes: new Uint8Array(), labels: new Uint32Array(), count: 0 };

function ofFormat(side: number, channels: number): Dataset {
  return {
    name: "own",
    height: side,
    width: side,
    channels,
    maximum: 255,
    classNames: ["a"],
    train: none,
    test: none,
    augmentation: { padding: 0, flip: false },
  };
}

const mnist = (count: number) => ({
  images: idx([count, 28, 28], Array.from({ length: count * 784 }, (_, i) => i % 256)),
  labels: idx([count], new Array<number>(count).fill(1)),
});
const files = {
  "mnist/train-images-idx3-ubyte": mnist(3).images,
  "mnist/train-labels-idx1-ubyte": mnist(3).labels,
  "mnist/t10k-images-idx3-ubyte": mnist(2).images,
  "mnist/t10k-labels-idx1-ubyte": mnist(2).labels,
  "faces/1.png": encodePng({ width: 9, height: 7, channels: 3, data: new Uint8Array(189).fill(50) }),
  "rooms/a/1.png": encodePng({ width: 28, height: 28, channels: 3, data: new Uint8Array(2352).fill(90) }),
};

/** Image counts of the sets that were named. */
async function countsOf(dataset: Dataset, folder: string, names: readonly string[]) {
  const named = names.map((name) => `${name}=${folder}/${name}`);
  const found = await otherSets(dataset, named, 10);
  return Object.fromEntries(
    found.filter(({ name }) => names.includes(name)).map(({ name, set }) => [name, set.count]),
  );
}

Deno.test("otherSets() takes any folders of pictures besides data sets by name, of the data set's format", async () => {
  await withFiles(files, async (folder) => {
    assert.deepEqual(await countsOf(ofFormat(28, 1), folder, ["mnist", "faces"]), { mnist: 2 });
    assert.deepEqual(await countsOf(ofFormat(8, 3), folder, ["mnist", "faces", "rooms"]), {
      faces: 1,
      rooms: 1,
    });
    const [faces] = (await otherSets(ofFormat(8, 3), [`faces=${folder}/faces`], 10))
      .filter(({ name }) => name === "faces");
    assert.deepEqual([...faces!.set.bytes], new Array<number>(192).fill(50));
  });
});

Deno.test("otherSets() refuses options without a folder, and a name that is given twice", async () => {
  await refuses(otherSets(ofFormat(8, 3), ["faces"], 10), UsageError, /--ood takes NAME=DIR, not "faces"/);
  await refuses(otherSets(ofFormat(8, 3), ["a=x", "a=y"], 10), UsageError, /--ood a is given twice/);
});

Deno.test("otherSets() needs no more of a data set than its test images", async () => {
  const { "mnist/t10k-images-idx3-ubyte": images, "mnist/t10k-labels-idx1-ubyte": labels } = files;
  const cifar = (labelBytes: number) => new Uint8Array(labelBytes + 3072);
  const testFiles = {
    "mnist/t10k-images-idx3-ubyte": images,
    "mnist/t10k-labels-idx1-ubyte": labels,
    "fashion-mnist/t10k-images-idx3-ubyte": images,
    "fashion-mnist/t10k-labels-idx1-ubyte": labels,
    "cifar10/test_batch.bin": cifar(1),
    "cifar100/test.bin": cifar(2),
    "svhn/test_32x32.mat": mat([
      { name: "X", class: 9, type: 2, shape: [32, 32, 3, 1], data: new Array<number>(3072).fill(7) },
      { name: "y", class: 6, type: 9, shape: [1, 1], data: [10] },
    ]),
  };
  await withFiles(testFiles, async (folder) => {
    assert.deepEqual(await countsOf(ofFormat(28, 1), folder, ["mnist", "fashion-mnist"]), {
      mnist: 2,
      "fashion-mnist": 2,
    });
    assert.deepEqual(await countsOf(ofFormat(32, 3), folder, ["cifar10", "cifar100", "svhn"]), {
      cifar10: 1,
      cifar100: 1,
      svhn: 1,
    });
  });
});

Deno.test("otherSets() leaves out what lies in data/ and cannot be read, but not what was named", async () => {
  const { "mnist/t10k-images-idx3-ubyte": images, "mnist/t10k-labels-idx1-ubyte": labels } = files;
  const inData = {
    "mnist/t10k-images-idx3-ubyte": images,
    "mnist/t10k-labels-idx1-ubyte": labels,
    "cifar10/cifar-10-binary.tar.gz.part": new Uint8Array(9),
    "svhn/test_32x32.mat": new Uint8Array(9),
  };
  await withFiles(inData, async (folder) => {
    const folderOf = (name: string) => `${folder}/${name}`;
    const sets = await otherSets(ofFormat(28, 1), [], 10, folderOf);
    assert.deepEqual(sets.map(({ name }) => name), ["mnist"]);
    const named = otherSets(ofFormat(28, 1), [`cifar10=${folder}/cifar10`], 10, folderOf);
    await refuses(named, DataError, /cifar10: no test_batch\.bin/);
  });
});
