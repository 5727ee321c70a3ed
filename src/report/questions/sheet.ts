import { Draw, drawSome } from "../../data/draw.ts";
import { bestOfClasses } from "../../evaluate/generation.ts";
import { imageGrid } from "../../formats/pictures/image_grid.ts";
import { encodePng } from "../../formats/pictures/png.ts";
import type { Subject } from "../question.ts";

/** Pictures of each class. */
const perClass = 10;
const mostClasses = 10;

/**
 * Samples to show: a row for each class that the model assigns, or for some of many classes, the best first.
 * @param logits `[N, classes]`
 * @param scores score of each sample
 * @returns indices; a class with few samples has a shorter row
 */
export function shownSamples(
  { dataset: { classNames } }: Subject,
  logits: Float32Array,
  scores: ArrayLike<number>,
): number[][] {
  const best = bestOfClasses(logits, scores, classNames.length, 1);
  const classes = [...drawSome(classNames.length, mostClasses, Draw.classes)];
  return classes.map((label) => best[label]!.slice(0, perClass));
}

/** A picture of samples, row by row. */
export function sheet(
  { dataset: { height, width, channels } }: Subject,
  samples: Float32Array,
  rows: readonly (readonly number[])[],
): Uint8Array {
  const pixels = height * width * channels;
  const images = new Float32Array(rows.length * perClass * pixels);
  rows.forEach((indices, row) =>
    indices.forEach((index, column) => {
      images.set(samples.subarray(index * pixels, (index + 1) * pixels), (row * perClass + column) * pixels);
    })
  );
  const shape = { count: rows.length * perClass, height, width, channels };
  return encodePng(imageGrid(images, shape, { columns: perClass }));
}
