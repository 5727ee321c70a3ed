import { Draw, stratifiedDraw } from "../../data/draw.ts";
import { inBatches } from "../../distributed/batches.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { Landscape } from "../../evaluate/landscape.ts";
import { contourPlot } from "../contours.ts";
import { curves } from "../figures.ts";
import { AnswerBuilder, type Question } from "../question.ts";

/** Number of training images for the loss. */
const images = 128;
/** Positions along the ascent direction, in multiples of the training's ρ, or of the published one without SAM. */
const multiples = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5];
const publishedRho = 2;
/** Points of the plane along each direction, from −1 to 1. */
const planePoints = 13;
const powerIterations = 30;

/** How flat is the minimum that training found? The loss along SAM's ascent, on a random plane, and its curvature. */
export const landscape: Question = {
  name: "landscape",
  async ask({ model, train, checkpoint: { configuration }, communicator }, { seed }, progress) {
    const drawn = stratifiedDraw(train.labels, images, Draw.landscape);
    using batch = train.at(drawn);
    const view = await Landscape.of(model, batch, drawn.map((index) => train.labels[index]!));
    const total = multiples.length + planePoints ** 2 + powerIterations;
    let done = 0;
    const step = (points = 1) => progress((done += points) / total);
    try {
      const rho = configuration.rho > 0 ? configuration.rho : publishedRho;
      const adaptive = configuration.adaptive ?? rho >= 0.5;
      const ascent = await alongAscent(view, rho, adaptive, step);
      const plane = await onPlane(view, communicator, seed, step);
      const eigenvalue = await view.largestEigenvalue(powerIterations, seed, () => step());
      return await write({ rho, adaptive, ascent, plane, eigenvalue, images: drawn.length });
    } finally {
      view.restore();
    }
  },
};

async function alongAscent(view: Landscape, rho: number, adaptive: boolean, step: () => void) {
  const direction = await view.ascentDirection(adaptive);
  const points: [number, number][] = [];
  for (const multiple of multiples) {
    points.push([multiple * rho, await view.lossAt([direction], [multiple * rho])]);
    step();
  }
  return points;
}

async function onPlane(
  view: Landscape,
  communicator: Communicator,
  seed: number,
  step: (points: number) => void,
) {
  const directions = [view.randomDirection(seed, 0), view.randomDirection(seed, 1)];
  const coordinates = Array.from({ length: planePoints }, (_, i) => 2 * i / (planePoints - 1) - 1);
  let told = 0;
  const progress = (rows: number) => {
    step((rows - told) * planePoints);
    told = rows;
  };
  const [all] = await inBatches(planePoints, 1, async (row) => {
    const losses = new Float64Array(planePoints);
    for (const [i, first] of coordinates.entries()) {
      losses[i] = await view.lossAt(directions, [first, coordinates[row]!]);
    }
    return [losses];
  }, { communicator, progress });
  const losses = coordinates.map((_, row) => [...all.subarray(row * planePoints, (row + 1) * planePoints)]);
  return { coordinates, losses };
}

async function write(results: {
  readonly rho: number;
  readonly adaptive: boolean;
  readonly ascent: readonly (readonly [number, number])[];
  readonly plane: {
    readonly coordinates: readonly number[];
    readonly losses: readonly (readonly number[])[];
  };
  readonly eigenvalue: number;
  readonly images: number;
}) {
  const { rho, adaptive, ascent, plane, eigenvalue, images } = results;
  const at = (multiple: number) => ascent[multiples.indexOf(multiple)]![1];
  const sharpness = at(1) - at(0);
  const report = new AnswerBuilder("Loss landscape").text(
    `Mean cross-entropy on ${images} training images, of each class its share, with batch statistics, around the parameters. Sharpness is how much it ` +
      `grows by SAM's ascent with ρ = ${rho}${adaptive ? ", adaptive" : ""}.`,
  ).table(["", ""], [
    ["sharpness", sharpness.toFixed(4)],
    ["largest eigenvalue of the Hessian", eigenvalue.toPrecision(2)],
  ], `By ${powerIterations} power iterations; the kinks of LeakyReLUs leave it uncertain by some per cent.`);
  const axes = { x: "distance along SAM's ascent direction", y: "cross-entropy", points: true };
  await report.plot("ascent", curves({ loss: ascent }, axes), "Loss along the ascent direction");
  await report.plot(
    "plane",
    contourPlot(plane.coordinates, plane.losses, {
      first: "first direction",
      second: "second direction",
      value: "cross-entropy",
    }),
    "Loss on a plane of two random, filter-normalised directions: contours at equal ratios, the model in the middle",
  );
  return report.answer({ ...results, powerIterations, sharpness }, [["sharpness", sharpness.toFixed(3)]]);
}
