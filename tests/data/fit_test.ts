import assert from "node:assert/strict";
import type { Dataset } from "../../src/data/dataset.ts";
import { fitDataset, type ImageDescription, requireImageSize } from "../../src/data/fit.ts";
import { DataError } from "../../src/errors.ts";

/** A data set with one image of each class, and the test set in the opposite order. */
function data(classNames: readonly string[], side = 2): Dataset {
  const set = (labels: number[]) => ({
    bytes: new Uint8Array(labels.length * side * side),
    labels: Uint32Array.from(labels),
    count: labels.length,
  });
  const labels = [...classNames.keys()];
  return {
    name: "images",
    height: side,
    width: side,
    channels: 1,
    maximum: 255,
    classNames,
    train: set(labels),
    test: set(labels.toReversed()),
    augmentation: { padding: 0, flip: false },
  };
}

const model = (classNames: readonly string[], others: Partial<ImageDescription> = {}): ImageDescription => ({
  height: 2,
  width: 2,
  channels: 1,
  classNames,
  ...others,
});

const refused = (dataset: Dataset, description: ImageDescription, message: string) =>
  assert.throws(() => fitDataset(dataset, description), (error) => {
    assert(error instanceof DataError);
    assert.equal(error.message, message);
    return true;
  });

Deno.test("fitDataset() leaves data of the same classes as it is, and renumbers labels of a permutation", () => {
  const own = data(["ant", "bee", "cow"]);
  assert.equal(fitDataset(own, model(["ant", "bee", "cow"])), own);
  const { classNames, train, test } = fitDataset(own, model(["cow", "ant", "bee"]));
  assert.deepEqual(classNames, ["cow", "ant", "bee"]);
  assert.deepEqual([[...train.labels], [...test.labels]], [[1, 2, 0], [0, 2, 1]]);
  assert.deepEqual([...own.train.labels], [0, 1, 2], "the data set itself is not touched");
});

Deno.test("fitDataset() takes the data's names where the model has none", () => {
  const own = data(["ant", "bee"]);
  assert.equal(fitDataset(own, model(["0", "1"], { unnamed: true })), own);
});

Deno.test("fitDataset() refuses other numbers and names of classes, and other images, in one short line", () => {
  const digits = Array.from({ length: 10 }, (_, digit) => `${digit}`);
  const many = Array.from({ length: 12 }, (_, i) => `class ${i}`);
  refused(
    data(many),
    model(digits, { unnamed: true }),
    "images: the data has 12 classes (class 0, class 1, class 2, class 3, class 4, class 5 and 6 more), the model 10",
  );
  refused(data(["a", "b"]), model(["a"]), "images: the data has 2 classes (a, b), the model 1 (a)");
  refused(
    data(["ant", "bee"]),
    model(["ant", "cow"]),
    "images: the data's classes (ant, bee) are not the model's (ant, cow)",
  );
  refused(
    data(["ant", "bee"]),
    model(["ant", "ant"]),
    "images: the data's classes (ant, bee) are not the model's (ant, ant)",
  );
  refused(data(["a"], 3), model(["a"]), "images: images of 3×3×1, the model takes 2×2×1");
  refused(data(["a"]), model(["a"], { channels: 3 }), "images: images of 2×2×1, the model takes 2×2×3");
  const wrong = data(["a", "b"]);
  wrong.test.labels[1] = 7;
  refused(wrong, model(["a", "b"]), "images: image 1 has label 7, expected one below 2");
});

Deno.test("fitDataset() shows names of strangers without what a terminal would obey, and shortened", () => {
  refused(
    data(["\x1b[31mred", "x".repeat(300)]),
    model(["a", "b"]),
    `images: the data's classes (\ufffd[31mred, ${"x".repeat(24)}…) are not the model's (a, b)`,
  );
});

Deno.test("requireImageSize() says whose images do not fit", () => {
  const [small, large] = [{ height: 8, width: 8, channels: 1 }, { height: 32, width: 32, channels: 3 }];
  requireImageSize("--referee x", small, small);
  assert.throws(() => requireImageSize("--referee x", small, large), {
    name: "DataError",
    message: "--referee x: images of 8×8×1, the model takes 32×32×3",
  });
});
