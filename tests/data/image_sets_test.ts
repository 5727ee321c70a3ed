import { gzipSync } from "fflate";
import assert from "node:assert/strict";
import type { Dataset } from "../../src/data/dataset.ts";
import { loadFashionMnist, loadMnist } from "../../src/data/mnist.ts";
import { loadSvhn } from "../../src/data/svhn.ts";
import { DataError } from "../../src/errors.ts";
import { concatenate } from "../../src/formats/bytes.ts";
import { idx, mat, type MatVariable } from "../formats/samples.ts";
import { refuses } from "../refusal.ts";
import { withFiles } from "../temporary.ts";

const pixel = (image: number, position: number) => (image * 101 + position * 7) % 256;
const mnistImages = (count: number) =>
  idx([count, 28, 28], Array.from({ length: count * 784 }, (_, i) => pixel(Math.floor(i / 784), i % 784)));

const mnistFiles = {
  "train-images-idx3-ubyte.gz": gzipSync(mnistImages(3)),
  "train-labels-idx1-ubyte.gz": gzipSync(idx([3], [7, 0, 9])),
  "t10k-images-idx3-ubyte": mnistImages(2),
  "t10k-labels-idx1-ubyte": idx([2], [1, 2]),
};

function summary({ name, height, width, channels, classNames, augmentation, train, test }: Dataset) {
  return [name, height, width, channels, classNames.length, augmentation, [...train.labels], [
    ...test.labels,
  ]];
}

Deno.test("loadMnist() and loadFashionMnist() read the official files, gzipped or not, also below raw/", async () => {
  for (const prefix of ["", "raw/"]) {
    const files = Object.fromEntries(
      Object.entries(mnistFiles).map(([name, bytes]) => [prefix + name, bytes]),
    );
    await withFiles(files, async (folder) => {
      const digits = await loadMnist(folder);
      const expected = [28, 28, 1, 10, { padding: 2, flip: false }, [7, 0, 9], [1, 2]];
      assert.deepEqual(summary(digits), ["mnist", ...expected]);
      assert.deepEqual(digits.train.bytes, mnistImages(3).subarray(16));
      const fashion = await loadFashionMnist(folder);
      assert.deepEqual([fashion.classNames[9], fashion.augmentation.flip], ["Ankle boot", true]);
    });
  }
});

Deno.test("loadMnist() reads the files as Kaggle's copy names them, in folders of their names, and what browsers unpacked", async () => {
  const dotted = Object.fromEntries(
    Object.entries(mnistFiles).map(([name, bytes]) => [name.replace("-idx", ".idx"), bytes]),
  );
  const inFolders = Object.fromEntries(
    Object.entries(mnistFiles).map(([name, bytes]) => [`${name.replace(".gz", "")}/${name}`, bytes]),
  );
  const both = { ...dotted, "train-images-idx3-ubyte/train-images.idx3-ubyte": mnistImages(3) };
  const named = { ...mnistFiles, "train-images-idx3-ubyte.gz": mnistImages(3) };
  const torchvision = Object.fromEntries(
    Object.entries(mnistFiles).flatMap(([name, bytes]) => [
      [`MNIST/raw/${name}`, bytes],
      [
        `FashionMNIST/raw/${name}`,
        name.includes("labels") ? idx([name.startsWith("t") ? 3 : 2], [0, 0, 0]) : bytes,
      ],
    ]),
  );
  torchvision["FashionMNIST/raw/t10k-labels-idx1-ubyte"] = idx([2], [0, 0]);
  for (const files of [dotted, inFolders, both, named, torchvision]) {
    await withFiles(files, async (folder) => {
      const { train, test } = await loadMnist(folder);
      assert.deepEqual([[...train.labels], [...test.labels]], [[7, 0, 9], [1, 2]]);
      assert.deepEqual(train.bytes, mnistImages(3).subarray(16));
    });
  }
  await withFiles(
    torchvision,
    async (folder) => assert.deepEqual([...(await loadFashionMnist(folder)).train.labels], [0, 0, 0]),
  );
});

Deno.test("loadMnist() reads gzip files of several members, with padding and with names in their headers", async () => {
  const images = mnistImages(3);
  const members = [images.subarray(0, 1000), images.subarray(1000)].map((part, i) =>
    gzipSync(part, { filename: `part${i}`, mtime: 1 })
  );
  const files = {
    ...mnistFiles,
    "train-images-idx3-ubyte.gz": concatenate([...members, new Uint8Array(512)]),
  };
  await withFiles(files, async (folder) => {
    assert.deepEqual((await loadMnist(folder)).train.bytes, images.subarray(16));
  });
});

Deno.test("loadMnist() refuses files that do not fit, naming them", async () => {
  const labels = "train-labels-idx1-ubyte.gz";
  const cases: [Record<string, Uint8Array>, RegExp][] = [
    [
      { [labels]: gzipSync(idx([2], [1, 2])) },
      /train-labels.*shape \[2\], expected a label for each of 3 images/,
    ],
    [
      { [labels]: gzipSync(idx([3], [1, 10, 2])) },
      /train-labels.*image 1 has label 10, expected one below 10/,
    ],
    [
      { "t10k-images-idx3-ubyte": idx([2, 5, 5], Array(50).fill(0)) },
      /t10k-images.*expected images of \[28, 28\]/,
    ],
    [{ "t10k-images-idx3-ubyte": mnistImages(2).subarray(0, 500) }, /t10k-images-idx3-ubyte: IDX: 484 bytes/],
  ];
  for (const [change, message] of cases) {
    await withFiles({ ...mnistFiles, ...change }, (folder) => refuses(loadMnist(folder), DataError, message));
  }
  const { "t10k-labels-idx1-ubyte": _, ...incomplete } = mnistFiles;
  await withFiles(
    incomplete,
    (folder) =>
      refuses(
        loadMnist(folder),
        DataError,
        /mnist: no t10k-labels-idx1-ubyte or .*, which has t10k-images-idx3-ubyte, train-images/,
      ),
  );
});

/** X of `count` images in MATLAB's order: row, column, channel, image. */
function svhn(count: number, labels: readonly number[], compressed = true) {
  const data = Array.from({ length: count * 3072 }, (_, i) => {
    const [y, x, c, n] = [i % 32, Math.floor(i / 32) % 32, Math.floor(i / 1024) % 3, Math.floor(i / 3072)];
    return pixel(n, (y * 32 + x) * 3 + c);
  });
  const variables: MatVariable[] = [
    { name: "X", shape: [32, 32, 3, count], class: 9, type: 2, data, compressed },
    { name: "y", shape: [labels.length, 1], class: 6, type: 9, data: labels, compressed },
  ];
  return mat(variables);
}

Deno.test("loadSvhn() reads the official files; label 10 is the digit 0", async () => {
  for (const compressed of [true, false]) {
    const files = {
      "train_32x32.mat": svhn(3, [10, 1, 9], compressed),
      "test_32x32.mat": svhn(1, [5], compressed),
    };
    await withFiles(files, async (folder) => {
      const dataset = await loadSvhn(folder);
      assert.deepEqual(summary(dataset), ["svhn", 32, 32, 3, 10, { padding: 4, flip: false }, [0, 1, 9], [
        5,
      ]]);
      const expected = Uint8Array.from({ length: 3 * 3072 }, (_, i) => pixel(Math.floor(i / 3072), i % 3072));
      assert.deepEqual(dataset.train.bytes, expected);
    });
  }
});

Deno.test("loadSvhn() refuses files without the arrays or with wrong labels", async () => {
  const good = svhn(1, [5]);
  const cases: [Uint8Array, RegExp][] = [
    [svhn(2, [1, 11]), /train_32x32\.mat: image 1 has label 11, expected one from 1 to 10/],
    [svhn(2, [1]), /expected an array y with a label for each of 2 images/],
    [mat([]), /expected an array X of \[32, 32, 3, images\] bytes/],
    [good.subarray(0, 700), /train_32x32\.mat: .*(damaged|truncated)/],
  ];
  for (const [train, message] of cases) {
    const files = { "train_32x32.mat": train, "test_32x32.mat": good };
    await withFiles(files, (folder) => refuses(loadSvhn(folder), DataError, message));
  }
});

Deno.test("loadSvhn() tells the pictures of whole house numbers from the cropped digits", async () => {
  await withFiles(
    { "train/digitStruct.mat": new Uint8Array(4) },
    (folder) =>
      refuses(loadSvhn(folder), DataError, /no train_32x32\.mat .* whole house numbers are another set/),
  );
});
