import { gzipSync } from "fflate";
import assert from "node:assert/strict";
import type { Dataset, ImageSet } from "../../src/data/dataset.ts";
import { loadImageFolder, loadPictures } from "../../src/data/image_folder.ts";
import { loadFashionMnist, loadMnist } from "../../src/data/mnist.ts";
import { loadSvhn } from "../../src/data/svhn.ts";
import { DataError } from "../../src/errors.ts";
import { encodePng } from "../../src/formats/png.ts";
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
    (folder) => refuses(loadMnist(folder), DataError, /mnist: no t10k-labels-idx1-ubyte or/),
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

/** A picture of one colour. */
function plain(colour: number, width = 40, height = 30): Uint8Array {
  const data = new Uint8Array(width * height * 3).fill(colour);
  return encodePng({ width, height, channels: 3, data });
}

Deno.test("loadImageFolder() takes sub-folders as classes, and a tenth for testing", async () => {
  const files: Record<string, Uint8Array> = { "notes.txt": new Uint8Array(3) };
  for (let i = 0; i < 12; i++) files[`cats/${i}.png`] = plain(i);
  for (let i = 0; i < 8; i++) files[`dogs/images/${i}.PNG`] = plain(100 + i);
  await withFiles(files, async (folder) => {
    const progress: number[] = [];
    const dataset = await loadImageFolder(folder, 16, (done, total) => progress.push(done / total));
    assert.deepEqual([dataset.classNames, dataset.train.count, dataset.test.count], [
      ["cats", "dogs"],
      18,
      2,
    ]);
    assert.deepEqual([dataset.height, dataset.augmentation], [16, { padding: 2, flip: true }]);
    assert.deepEqual([progress.length, progress.at(-1)], [20, 1]);
    const colours = [dataset.train, dataset.test].flatMap(({ bytes, labels, count }) =>
      Array.from({ length: count }, (_, i) => {
        const own = bytes.subarray(i * 768, (i + 1) * 768);
        assert(own.every((value) => value === own[0]));
        assert.equal(labels[i], own[0]! < 100 ? 0 : 1);
        return own[0]!;
      })
    );
    assert.deepEqual(colours.sort((a, b) => a - b), [
      ...Array(12).keys(),
      ...[...Array(8).keys()].map((i) => 100 + i),
    ]);
    assert.deepEqual(await loadImageFolder(folder, 16), dataset, "the split is always the same");
  });
});

Deno.test("loadImageFolder() keeps given training and test folders, and takes a flat folder as one class", async () => {
  const split = {
    "train/a/1.png": plain(1),
    "train/b/1.png": plain(2),
    "val/a/9.png": plain(3),
    "val/b/9.png": plain(4),
  };
  await withFiles(split, async (folder) => {
    const { train, test, classNames } = await loadImageFolder(folder, 8);
    assert.deepEqual([classNames, [...train.labels], [...test.labels]], [["a", "b"], [0, 1], [0, 1]]);
  });
  const flat = Object.fromEntries([...Array(10).keys()].map((i) => [`faces/${i}.png`, plain(i)]));
  await withFiles(flat, async (folder) => {
    const { train, test, classNames } = await loadImageFolder(`${folder}/faces/`, 8);
    assert.deepEqual([classNames, train.count, test.count], [["faces"], 9, 1]);
  });
  await withFiles({ "faces/train/1.png": plain(1), "faces/test/1.png": plain(2) }, async (folder) => {
    const { train, test, classNames } = await loadImageFolder(`${folder}/faces`, 8);
    assert.deepEqual([classNames, train.count, test.count], [["faces"], 1, 1]);
  });
});

Deno.test("loadImageFolder() reads TinyImageNet as it unpacks: val is labelled by a file, test by nothing", async () => {
  const annotations = "val_0.JPEG\tn02\t0\t0\t9\t9\nval_1.JPEG\tn01\t0\t0\t9\t9\n";
  const files = {
    "train/n01/images/n01_0.JPEG": plain(1),
    "train/n01/n01_boxes.txt": new Uint8Array(4),
    "train/n02/images/n02_0.JPEG": plain(2),
    "val/images/val_0.JPEG": plain(3),
    "val/images/val_1.JPEG": plain(4),
    "val/val_annotations.txt": new TextEncoder().encode(annotations),
    "test/images/test_0.JPEG": plain(5),
    "wnids.txt": new Uint8Array(8),
  };
  await withFiles(files, async (folder) => {
    const { classNames, train, test } = await loadImageFolder(folder, 8);
    assert.deepEqual([classNames, [...train.labels], [...test.labels]], [["n01", "n02"], [0, 1], [1, 0]]);
    assert.deepEqual([train.bytes[0], test.bytes[0]], [1, 3]);
  });
  const other = { ...files, "val/val_annotations.txt": new TextEncoder().encode("val_0.JPEG\tn09\n") };
  await withFiles(
    other,
    (folder) => refuses(loadImageFolder(folder, 8), DataError, /val_0\.JPEG has no class/),
  );
});

Deno.test("loadImageFolder() follows links, and passes over hidden files", async () => {
  const files: Record<string, Uint8Array> = {
    ".DS_Store": new Uint8Array(3),
    ".cache/1.png": new Uint8Array(3),
  };
  for (let i = 0; i < 10; i++) files[`elsewhere/cats/${i}.png`] = plain(i);
  files["elsewhere/cats/._0.png"] = new Uint8Array(3);
  await withFiles(files, async (folder) => {
    await Deno.mkdir(`${folder}/pictures`);
    await Deno.symlink(`${folder}/elsewhere/cats`, `${folder}/pictures/cats`);
    const { classNames, train, test } = await loadImageFolder(`${folder}/pictures`, 8);
    assert.deepEqual([classNames, train.count + test.count], [["cats"], 10]);
    await Deno.symlink(`${folder}/nowhere.png`, `${folder}/elsewhere/cats/10.png`);
    await refuses(loadImageFolder(`${folder}/pictures`, 8), DataError, /cannot read .*cats: /);
  });
});

Deno.test("loadPictures() reads so many pictures from all over a folder, always the same", async () => {
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < 12; i++) files[`train/cats/${i}.png`] = plain(i);
  for (let i = 0; i < 8; i++) files[`test/cats/${i}.png`] = plain(100 + i);
  await withFiles(files, async (folder) => {
    const coloursOf = ({ bytes, count }: ImageSet) =>
      Array.from({ length: count }, (_, i) => bytes[i * 192]!);
    const all = await loadPictures(folder, 8, 1000);
    const expected = [...Array(12).keys(), ...[...Array(8).keys()].map((i) => 100 + i)];
    assert.deepEqual(coloursOf(all).sort((a, b) => a - b), expected);
    const few = await loadPictures(folder, 8, 7);
    assert.deepEqual([few.count, few.bytes.length], [7, 7 * 192]);
    assert.deepEqual(few.bytes, all.bytes.subarray(0, 7 * 192));
    assert(coloursOf(few).some((colour) => colour < 12) && coloursOf(few).some((colour) => colour >= 100));
    await refuses(loadPictures(`${folder}/train/cats/no`, 8, 7), DataError, /no PNG or JPEG pictures in/);
  });
});

Deno.test("loadImageFolder() names the picture that cannot be read, and says what a folder lacks", async () => {
  await withFiles(
    { "a/1.png": plain(1), "a/2.jpg": new Uint8Array(50) },
    (folder) =>
      refuses(loadImageFolder(folder, 8), DataError, /a\/2\.jpg: the picture is neither PNG nor JPEG/),
  );
  await withFiles(
    { "a/notes.txt": new Uint8Array(5) },
    (folder) =>
      refuses(loadImageFolder(folder, 8), DataError, /images: 0 pictures in .*; expected PNG or JPEG files/),
  );
  await withFiles(
    { "train/a/1.png": plain(1), "val/b/1.png": plain(2) },
    (folder) => refuses(loadImageFolder(folder, 8), DataError, /have other classes/),
  );
});
