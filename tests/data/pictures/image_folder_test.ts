import assert from "node:assert/strict";
import type { ImageSet } from "../../../src/data/dataset.ts";
import { loadImageFolder, loadPictures } from "../../../src/data/pictures/image_folder.ts";
import { compareNames } from "../../../src/data/pictures/tree.ts";
import { DataError } from "../../../src/errors.ts";
import { encodePng } from "../../../src/formats/pictures/png.ts";
import { refuses } from "../../refusal.ts";
import { withFiles } from "../../temporary.ts";

/** A picture of one colour. */
function plain(colour: number, width = 40, height = 30): Uint8Array {
  const data = new Uint8Array(width * height * 3).fill(colour);
  return encodePng({ width, height, channels: 3, data });
}

/** A folder with a number of pictures. Their colours count up from `first`. */
function pictures(folder: string, count: number, first = 0): Record<string, Uint8Array> {
  return Object.fromEntries([...Array(count).keys()].map((i) => [`${folder}/${i}.png`, plain(first + i)]));
}

/** Empty files. */
function empty(...names: string[]): Record<string, Uint8Array> {
  return Object.fromEntries(names.map((name) => [name, new Uint8Array(3)]));
}

const size = 8;

async function load(folder: string, testShare = 0.1) {
  let summary = "";
  const dataset = await loadImageFolder(folder, { size, testShare, found: (found) => summary = found });
  return { ...dataset, summary };
}

function colours({ bytes, count }: ImageSet): number[] {
  return Array.from({ length: count }, (_, i) => {
    const own = bytes.subarray(i * size * size * 3, (i + 1) * size * size * 3);
    assert(own.every((value) => value === own[0]));
    return own[0]!;
  });
}

const both = ({ train, test }: { train: ImageSet; test: ImageSet }) =>
  [...colours(train), ...colours(test)].sort((a, b) => a - b);

const range = (count: number, first = 0) => Array.from({ length: count }, (_, i) => first + i);
const ownClasses = { ...pictures("cats", 12), ...pictures("dogs", 8, 100) };

/** What a folder contains, where it is read from, and how it must be described. */
const layouts: readonly [string, Record<string, Uint8Array>, string, string][] = [
  [
    "class folders",
    ownClasses,
    "",
    "2 classes (cats 12, dogs 8), 20 pictures, 2 held out for testing",
  ],
  [
    "pictures beside class folders, other formats and other files",
    {
      ...ownClasses,
      ...pictures(".", 3),
      ...empty("a.webp", "cats/b.WEBP", "dogs/c.gif", "dogs/d.tif", "e.bmp", "notes.txt", "cats/list.csv"),
    },
    "",
    "2 classes (cats 12, dogs 8), 20 pictures, 2 held out for testing; left out: 3 pictures beside the class folders, " +
    "5 pictures of formats that are not read (2 WebP, 1 BMP, 1 GIF, 1 TIFF), 2 other files",
  ],
  [
    "what macOS, storage and hidden folders leave",
    {
      ...ownClasses,
      ...empty("__MACOSX/cats/._0.png", "__MACOSX/cats/0.png", ".DS_Store", "cats/.DS_Store", "cats/._0.png"),
      ...empty(".cache/1.png", "dogs/@eaDir/0.png"),
    },
    "",
    "2 classes (cats 12, dogs 8), 20 pictures, 2 held out for testing",
  ],
  [
    "empty folders",
    { ...ownClasses, ...empty("birds/readme.txt", "fish/none/readme.txt") },
    "",
    "2 classes (cats 12, dogs 8), 20 pictures, 2 held out for testing; left out: 2 other files, 2 folders without " +
    "pictures (birds, fish)",
  ],
  [
    "folders in class folders",
    { ...pictures("cats", 6), ...pictures("cats/more/and/more", 6, 6), ...pictures("dogs/images", 8, 100) },
    "",
    "2 classes (cats 12, dogs 8), 20 pictures, 2 held out for testing",
  ],
  [
    "pictures only",
    pictures("faces", 20),
    "faces",
    "1 class (faces 20), 20 pictures, 2 held out for testing",
  ],
  [
    "a folder in one of its name",
    {
      ...pictures("faces/faces/cats", 12),
      ...pictures("faces/faces/dogs", 8, 100),
    },
    "faces",
    "2 classes (cats 12, dogs 8), 20 pictures, 2 held out for testing",
  ],
  ...[["train", "test"], ["Train", "Test"], ["training", "testing"], ["train", "val"], [
    "TRAIN",
    "Validation",
  ], [
    "training_set",
    "test_set",
  ]].map(([train, test]): [string, Record<string, Uint8Array>, string, string] => [
    `${train} and ${test}`,
    {
      ...pictures(`${train}/cats`, 12),
      ...pictures(`${test}/cats`, 4, 12),
      ...pictures(`${train}/dogs`, 8, 100),
    },
    "",
    `2 classes (cats 12, dogs 8), 20 pictures in ${train}/, 4 in ${test}/ for testing (none of dogs)`,
  ]),
  [
    "three sets, and another folder",
    {
      ...pictures("x/train/cats", 12),
      ...pictures("x/train/dogs", 8, 100),
      ...pictures("x/test/dogs", 2, 108),
      ...pictures("x/val/cats", 3, 12),
      ...pictures("x/old", 1),
    },
    "",
    "2 classes (cats 12, dogs 8), 20 pictures in train/, 2 in test/ for testing (none of cats); left out: " +
    "all of val/ (3 pictures), old/ (1 picture)",
  ],
  [
    "test pictures without classes",
    { ...pictures("train/cats", 12), ...pictures("train/dogs", 8, 100), ...pictures("test", 5) },
    "",
    "2 classes (cats 12, dogs 8), 20 pictures, 2 held out for testing; left out: all of test/ (5 pictures)",
  ],
  [
    "training pictures alone",
    { ...pictures("train/cats", 12), ...pictures("train/dogs", 8, 100) },
    "",
    "2 classes (cats 12, dogs 8), 20 pictures, 2 held out for testing",
  ],
  [
    "a class that is called train",
    { ...pictures("train", 12), ...pictures("bus", 8, 100) },
    "",
    "2 classes (bus 8, train 12), 20 pictures, 2 held out for testing",
  ],
];

for (const [name, files, below, summary] of layouts) {
  Deno.test(`loadImageFolder() reads ${name}, and says what it found`, async () => {
    await withFiles(files, async (folder) => {
      const dataset = await load(below === "" ? folder : `${folder}/${below}/`);
      assert.equal(dataset.summary, summary);
      const isCats = (label: number) => ["cats", "train", "faces"].includes(dataset.classNames[label]!);
      for (const set of [dataset.train, dataset.test]) {
        colours(set).forEach((colour, i) => assert.equal(isCats(set.labels[i]!), colour < 100));
      }
      assert.deepEqual(dataset, await load(below === "" ? folder : `${folder}/${below}`), "always the same");
    });
  });
}

Deno.test("loadImageFolder() holds out a share of each class, drawn from all of it", async () => {
  const files = { ...pictures("cats", 30), ...pictures("dogs", 10, 100), ...pictures("fish", 1, 200) };
  await withFiles(files, async (folder) => {
    const expected = [...range(30), ...range(10, 100), 200];
    for (
      const [share, test] of [[0.1, [3, 1, 0]], [0.5, [15, 5, 0]], [0.01, [1, 1, 0]], [0.99, [
        29,
        9,
        0,
      ]]] as const
    ) {
      const dataset = await load(folder, share);
      assert.deepEqual(
        [0, 1, 2].map((label) => dataset.test.labels.filter((own) => own === label).length),
        test,
      );
      assert.deepEqual(both(dataset), expected);
      assert.notDeepEqual(colours(dataset.test).slice(0, 3), range(3));
    }
    // The same pictures are drawn on every machine and in every version.
    assert.deepEqual(colours((await load(folder)).test), [18, 19, 23, 100]);
  });
});

Deno.test("loadImageFolder() crops and resizes, and counts the pictures as it reads them", async () => {
  await withFiles(ownClasses, async (folder) => {
    const progress: number[] = [];
    const dataset = await loadImageFolder(folder, {
      size: 16,
      testShare: 0.1,
      progress: (done, total) => progress.push(done / total),
    });
    assert.deepEqual([dataset.height, dataset.augmentation], [16, { padding: 2, flip: true }]);
    assert.deepEqual([progress.length, progress.at(-1)], [20, 1]);
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
    const { classNames, train, test, summary } = await load(folder);
    assert.deepEqual([classNames, [...train.labels], [...test.labels]], [["n01", "n02"], [0, 1], [1, 0]]);
    assert.deepEqual([colours(train), colours(test)], [[1, 2], [3, 4]]);
    assert.match(summary, /, 2 in val\/ for testing; left out: 2 other files, all of test\/ \(1 picture\)$/);
  });
  const other = { ...files, "val/val_annotations.txt": new TextEncoder().encode("val_0.JPEG\tn09\n") };
  await withFiles(other, (folder) => refuses(load(folder), DataError, /val_0\.JPEG has no class/));
});

Deno.test("loadImageFolder() follows links, but none that lead back, and names a broken one", async () => {
  const files = { ...pictures("elsewhere/cats", 10), ...pictures("pictures/dogs", 2, 100) };
  await withFiles(files, async (folder) => {
    await Deno.symlink(`${folder}/elsewhere/cats`, `${folder}/pictures/cats`);
    await Deno.symlink(`${folder}/pictures`, `${folder}/pictures/dogs/back`);
    const dataset = await load(`${folder}/pictures`);
    assert.deepEqual([dataset.classNames, both(dataset)], [["cats", "dogs"], [...range(10), 100, 101]]);
    await Deno.symlink(`${folder}/nowhere.png`, `${folder}/elsewhere/cats/10.png`);
    await refuses(load(`${folder}/pictures`), DataError, /cannot read .*cats\/10\.png: /);
  });
});

Deno.test("loadImageFolder() says what is wrong with a folder", async () => {
  const cases: [Record<string, Uint8Array>, string, RegExp][] = [
    [
      { "a/1.png": plain(1), "a/2.jpg": new Uint8Array(50) },
      "",
      /a\/2\.jpg: the picture is neither PNG nor JPEG/,
    ],
    [
      empty("a/notes.txt"),
      "",
      /images: no PNG or JPEG pictures in .*; expected a sub-folder of them for each/,
    ],
    [empty("a/1.webp", "b/2.gif"), "", /no PNG or JPEG pictures in .*, but WebP, GIF, which are not read/],
    [
      { ...pictures("a", 3), ...empty("b/2.webp") },
      "",
      /all pictures of class b are of formats .*\(WebP\); convert/,
    ],
    [
      { "train/a/1.png": plain(1), "val/b/1.png": plain(2) },
      "",
      /have other classes: .* of b, which is in val/,
    ],
    [{ ...pictures("a", 1), ...pictures("b", 1) }, "", /2 classes .*; at least two of a class are needed/],
    [{}, "none", /images: no pictures in .*none, which does not exist/],
    [
      empty("archive.zip"),
      "archive.zip",
      /images: no pictures in .*archive\.zip, which is a file, not a folder/,
    ],
  ];
  for (const [files, below, message] of cases) {
    await withFiles(files, (folder) => refuses(load(`${folder}/${below}`), DataError, message));
  }
  await refuses(
    load("~/pictures"),
    DataError,
    /~\/pictures, which does not exist: "~" .* write the whole path/,
  );
});

Deno.test("loadPictures() reads a number of pictures from anywhere in a folder, always the same", async () => {
  await withFiles({ ...pictures("train/cats", 12), ...pictures("test/cats", 8, 100) }, async (folder) => {
    const all = await loadPictures(folder, size, 1000);
    assert.deepEqual(colours(all).sort((a, b) => a - b), [...range(12), ...range(8, 100)]);
    const few = await loadPictures(folder, size, 7);
    assert.deepEqual([few.count, few.bytes], [7, all.bytes.subarray(0, 7 * size * size * 3)]);
    assert(colours(few).some((colour) => colour < 12) && colours(few).some((colour) => colour >= 100));
    await refuses(
      loadPictures(`${folder}/train/cats/no`, size, 7),
      DataError,
      /no pictures in .*which does not/,
    );
  });
  await withFiles(
    empty("a/notes.txt"),
    (folder) => refuses(loadPictures(folder, size, 7), DataError, /no PNG or JPEG pictures in/),
  );
});

Deno.test("compareNames() orders names as their bytes are", () => {
  const names = ["", "10", "2", "B", "a", "ab", "é", "Ω", "\u{ffee}", "\u{1f600}", "\u{1f601}"];
  const bytes = (name: string) =>
    Array.from(new TextEncoder().encode(name), (byte) => byte.toString(16)).join(" ");
  assert.deepEqual([...names].reverse().sort(compareNames), names);
  assert.deepEqual(names.map(bytes), names.map(bytes).sort());
});
