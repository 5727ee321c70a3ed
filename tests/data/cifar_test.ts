import { gzipSync } from "fflate";
import assert from "node:assert/strict";
import { DataError } from "../../src/errors.ts";
import { refuses } from "../refusal.ts";
import { tar } from "../formats/samples.ts";
import { isPresent, realData } from "../real_data.ts";
import { withFiles } from "../temporary.ts";
import { loadCifar10, loadCifar100 } from "../../src/data/cifar.ts";

/** Records of the official format: label bytes, then red, green and blue planes that encode record and pixel. */
function records(labels: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(labels.flatMap((label, record) => [
    ...label,
    ...Array.from({ length: 3072 }, (_, i) => pixel(record, Math.floor(i / 1024), i % 1024)),
  ]));
}

function pixel(record: number, channel: number, position: number): number {
  return (record * 101 + channel * 53 + position * 7 + (position >> 5)) & 255;
}

const refused = (loading: Promise<unknown>, message: RegExp) => refuses(loading, DataError, message);

const first = records([[3], [9], [0]]);
const second = records([[1], [2]]);
const test = records([[5]]);

Deno.test("loadCifar10() joins the batches that exist, gzipped or not, as interleaved RGB", async () => {
  const files = {
    "data_batch_1.bin": first,
    "data_batch_4.bin.gz": gzipSync(second),
    "test_batch.bin": test,
  };
  await withFiles(files, async (folder) => {
    const dataset = await loadCifar10(folder);
    assert.deepEqual(
      [dataset.name, dataset.height, dataset.width, dataset.channels, dataset.maximum],
      ["cifar10", 32, 32, 3, 255],
    );
    assert.deepEqual(dataset.augmentation, { padding: 4, flip: true });
    assert.deepEqual([dataset.classNames.length, dataset.classNames[9]], [10, "truck"]);
    assert.deepEqual([...dataset.train.labels], [3, 9, 0, 1, 2]);
    assert.deepEqual([...dataset.test.labels], [5]);
    assert.deepEqual([dataset.train.count, dataset.test.count], [5, 1]);
    const interleaved = [0, 1, 2, 0, 1].flatMap((record) =>
      Array.from({ length: 3072 }, (_, i) => pixel(record, i % 3, Math.floor(i / 3)))
    );
    assert.deepEqual(dataset.train.bytes, Uint8Array.from(interleaved));
  });
});

Deno.test("loadCifar10() can do without training images where they are not wanted", async () => {
  await withFiles({ "test_batch.bin": test }, async (folder) => {
    const { train, test } = await loadCifar10(folder, true);
    assert.deepEqual([train.count, train.bytes.length, test.count], [0, 0, 1]);
    await refused(loadCifar10(folder), /no data_batch_1\.bin/);
  });
});

Deno.test("loadCifar10() finds the files in the official folder below the given one", async () => {
  const files = {
    "cifar-10-batches-bin/data_batch_1.bin": first,
    "cifar-10-batches-bin/test_batch.bin": test,
  };
  await withFiles(files, async (folder) => assert.equal((await loadCifar10(folder)).train.count, 3));
});

Deno.test("loadCifar10() finds the files in the folders that programs unpack them to", async () => {
  const parents = [
    "cifar-10-batches-bin/cifar-10-batches-bin",
    "cifar-10-binary/cifar-10-batches-bin",
    "cifar-10-binary",
  ];
  for (const parent of parents) {
    const files = { [`${parent}/data_batch_1.bin`]: first, [`${parent}/test_batch.bin`]: gzipSync(test) };
    await withFiles(files, async (folder) => assert.equal((await loadCifar10(folder)).train.count, 3));
  }
});

Deno.test("loadCifar10() and loadCifar100() say that the version for Python or MATLAB is not read", async () => {
  const cases = [
    [loadCifar10, "data_batch_1"],
    [loadCifar10, "cifar-10-batches-py/data_batch_1"],
    [loadCifar10, "cifar-10-python.tar.gz"],
    [loadCifar10, "data_batch_1.mat"],
    [loadCifar100, "cifar-100-python/train"],
    [loadCifar100, "meta"],
  ] as const;
  for (const [load, file] of cases) {
    await withFiles({ [file]: first }, async (folder) => {
      const message =
        /is of the version for Python or MATLAB, and the binary version \(cifar-100?-binary\.tar\.gz\) is/;
      await refused(load(folder), message);
    });
  }
  await withFiles(
    { "cifar-10-batches-py/data_batch_1": first },
    (folder) => refused(loadCifar10(`${folder}/cifar-10-batches-py`), /is of the version for Python/),
  );
});

Deno.test("loadCifar10() reads the official archive as it is, in a folder or by its own path", async () => {
  const unzipped = tar({
    "cifar-10-batches-bin/readme.html": new Uint8Array(700),
    "cifar-10-batches-bin/data_batch_1.bin": first,
    "cifar-10-batches-bin/data_batch_2.bin": second,
    "cifar-10-batches-bin/test_batch.bin": test,
  });
  const archive = gzipSync(unzipped);
  const files = { "data_batch_1.bin": first, "data_batch_2.bin": second, "test_batch.bin": test };
  await withFiles(files, async (unpacked) => {
    const expected = await loadCifar10(unpacked);
    // Some browsers unpack what they download. They may or may not change its name.
    for (const file of [{ "cifar-10-binary.tar": unzipped }, { "cifar-10-binary.tar.gz": unzipped }]) {
      await withFiles(file, async (folder) => assert.deepEqual(await loadCifar10(folder), expected));
    }
    await withFiles({ "cifar-10-binary.tar.gz": archive }, async (folder) => {
      assert.deepEqual(await loadCifar10(folder), expected);
      assert.deepEqual(await loadCifar10(`${folder}/cifar-10-binary.tar.gz`), expected);
    });
  });
  const damaged = archive.slice(0, archive.length - 40);
  await withFiles(
    { "cifar-10-binary.tar.gz": damaged },
    (folder) => refused(loadCifar10(folder), /cifar-10-binary\.tar\.gz: .*(damaged|truncated)/),
  );
});

Deno.test("loadCifar10() keeps one file of each name, however many folders of an archive have it", async () => {
  const archive = gzipSync(tar({
    "a/data_batch_1.bin": first,
    "a/test_batch.bin": test,
    "b/data_batch_1.bin": second,
    "c/data_batch_1.bin": second,
  }));
  await withFiles({ "cifar-10-binary.tar.gz": archive }, async (folder) => {
    assert.deepEqual([...(await loadCifar10(folder)).train.labels], [3, 9, 0]);
  });
});

Deno.test("loadCifar100() uses the fine labels", async () => {
  const files = { "train.bin": records([[19, 99], [4, 0]]), "test.bin.gz": gzipSync(records([[0, 55]])) };
  await withFiles(files, async (folder) => {
    const dataset = await loadCifar100(folder);
    assert.deepEqual([...dataset.train.labels, ...dataset.test.labels], [99, 0, 55]);
    assert.deepEqual([dataset.name, dataset.classNames.length], ["cifar100", 100]);
    assert.deepEqual([dataset.classNames[0], dataset.classNames[55], dataset.classNames[99]], [
      "apple",
      "otter",
      "worm",
    ]);
    assert.equal(dataset.train.bytes[1], pixel(0, 1, 0));
  });
});

Deno.test("loadCifar10() and loadCifar100() refuse damaged files, naming file and place", async () => {
  const good = { "data_batch_1.bin": first, "test_batch.bin": test };
  const cases: [Record<string, Uint8Array>, RegExp][] = [
    [
      { ...good, "data_batch_1.bin": first.subarray(0, first.length - 1) },
      /data_batch_1\.bin: expected whole records of 3073 bytes, got 9218 bytes; the file is damaged or truncated/,
    ],
    [{ ...good, "test_batch.bin": new Uint8Array() }, /test_batch\.bin: .* got 0 bytes/],
    [
      { ...good, "data_batch_2.bin": records([[1], [10]]) },
      /data_batch_2\.bin: record 1 has label 10, expected one below 10/,
    ],
    [
      { ...good, "data_batch_2.bin.gz": gzipSync(second).subarray(0, 500) },
      /data_batch_2\.bin\.gz: .*damaged or truncated/,
    ],
    [
      { "data_batch_1.bin": first },
      /no test_batch\.bin, test_batch\.bin\.gz or cifar-10-binary\.tar\.gz in /,
    ],
    [
      { "test_batch.bin": test },
      /no data_batch_1\.bin, .* in .*; "\.\/run data cifar10" .* \(--set dataFolder=PATH in training, else --data-folder PATH\)/,
    ],
  ];
  for (const [files, message] of cases) {
    await withFiles(files, (folder) => refused(loadCifar10(folder), message));
  }
  const hundred = { "train.bin": records([[20, 3]]), "test.bin": records([[0, 0]]) };
  await withFiles(
    hundred,
    (folder) => refused(loadCifar100(folder), /train\.bin: record 0 has label 20, expected one below 20/),
  );
});

Deno.test("loadCifar10() and loadCifar100() say where to get the files if there are none", async () => {
  await refused(
    loadCifar10("/nonexistent"),
    /no test_batch\.bin, .* in \/nonexistent, which does not exist; "\.\/run data cifar10" downloads it, or give/,
  );
  await refused(loadCifar100("/nonexistent"), /in \/nonexistent, .*; "\.\/run data cifar100" downloads it/);
  const file = await Deno.makeTempFile();
  await refused(loadCifar10(file), /no test_batch\.bin/);
  await Deno.remove(file);
});

const batches = `${realData}/cifar-10-batches-bin`;
const sample = `${realData}/cifar-100-binary/mixed_sample2000.bin.gz`;

Deno.test({
  name: `loadCifar10() reads the real batches in ${batches} (set SADA_JEM_DATA)`,
  ignore: !await isPresent(batches),
  async fn() {
    const { train, test } = await loadCifar10(realData);
    const batch = train.labels.subarray(0, 10_000);
    const perClass = Array.from({ length: 10 }, (_, c) => batch.filter((label) => label === c).length);
    assert.deepEqual(perClass, [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]);
    assert.deepEqual([train.count % 10_000, test.count], [0, 10_000]);
    // Published channel means of all training images. Means of single images deviate by about 0.15, so the mean of
    // 10,000 has a standard error of 0.0015. The bound is five standard errors.
    [0.4914, 0.4822, 0.4465].forEach((expected, channel) => {
      let sum = 0;
      for (let i = channel; i < train.bytes.length; i += 3) sum += train.bytes[i]!;
      assert.ok(Math.abs(sum / (train.count * 1024) / 255 - expected) < 0.0075, `channel ${channel}`);
    });
  },
});

Deno.test({
  name: `loadCifar100() reads the real records in ${sample} (set SADA_JEM_DATA)`,
  ignore: !await isPresent(sample),
  async fn() {
    const bytes = await Deno.readFile(sample);
    await withFiles({ "train.bin.gz": bytes, "test.bin.gz": bytes }, async (folder) => {
      const { train } = await loadCifar100(folder);
      assert.deepEqual(train.labels, Uint32Array.from({ length: 2000 }, (_, i) => i % 100));
    });
  },
});
