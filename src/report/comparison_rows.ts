/** The figures of evaluations in a comparison. */

import { percent } from "../evaluate/percent.ts";
import { conditions, type differences, otherSetConditions, type Path, valueAt } from "./budgets.ts";
import type { EvaluationFile } from "./evaluation_file.ts";
import { itself } from "./question.ts";

/** One row of the comparison. */
export interface Row {
  readonly name: string;
  /** Its name if every model was judged in its own features. */
  readonly ownName?: string;
  /** Where the figure is in the results. */
  readonly path: Path;
  /** How to write it. */
  readonly show: (value: number) => string;
  /** What evaluations must have in common for it. */
  readonly wanted: Parameters<typeof differences>[1];
  /** Its 95 % interval in the results, if there is one. */
  readonly interval?: (results: EvaluationFile["results"]) => unknown;
}

const decimals = (digits: number) => (value: number) => value.toFixed(digits);

/** The accuracy under attacks of a norm at a radius. */
function attacked(name: string, norm: "linf" | "l2", radius: number): Row {
  return {
    name,
    path: ["robustness", norm, "records", String(radius), -1],
    show: percent,
    wanted: conditions.attack,
    interval: (results) => {
      const points = valueAt(results, ["robustness", norm, "points"]);
      const place = Array.isArray(points) ? points.findIndex((point) => valueAt(point, [0]) === radius) : -1;
      return place < 0 ? undefined : valueAt(results, ["robustness", norm, "intervals", place]);
    },
  };
}

const accuracy = (name: string, set: "test" | "train", wanted: Row["wanted"]): Row => ({
  name,
  path: ["classification", set, "accuracy"],
  show: percent,
  wanted,
  interval: (results) => valueAt(results, ["classification", set, "accuracyInterval"]),
});

/** A row whose figure is not a proportion. */
const plain = (name: string, path: Path, show: Row["show"], wanted: Row["wanted"]): Row => ({
  name,
  path,
  show,
  wanted,
});

/** One of the samples' figures by nearest neighbours. */
const near = (figure: "precision" | "recall" | "density" | "coverage", show: Row["show"]): Row => {
  const path = ["generation", "fidelity", "samples", figure];
  return {
    name: figure,
    path: [...path, "value"],
    show,
    wanted: conditions.fidelity,
    interval: (results) => valueAt(results, [...path, "interval"]),
  };
};

/**
 * All rows, in order.
 * @param sets names of the sets that the test images were told apart from
 */
export const rowsWith = (sets: readonly string[]): readonly Row[] => [
  accuracy("test accuracy", "test", conditions.test),
  plain("test cross-entropy", ["classification", "test", "loss"], decimals(4), conditions.test),
  accuracy("training accuracy", "train", conditions.training),
  plain("calibration error, 20 bins", ["calibration", "ece20"], percent, conditions.test),
  plain("Brier score", ["calibration", "brier"], decimals(4), conditions.test),
  ...sets.map((set) =>
    plain(
      `AUROC by log p̃(x), ${set}`,
      ["outOfDistribution", set, "logDensity", "auroc"],
      decimals(3),
      otherSetConditions(set),
    )
  ),
  attacked("accuracy, L∞ 8/255", "linf", 8),
  attacked("accuracy, L∞ 30/255", "linf", 30),
  attacked("accuracy, L2 0.5", "l2", 0.5),
  {
    name: "purified, L∞ 8/255",
    path: ["robustness", "purified", "accuracies", -1],
    show: percent,
    wanted: conditions.purified,
    interval: (results) => valueAt(results, ["robustness", "purified", "interval"]),
  },
  plain("FID", ["generation", "inception", "fid"], decimals(2), conditions.inception),
  plain("KID", ["generation", "inception", "kid", "mean"], decimals(4), conditions.inception),
  {
    name: "Inception Score",
    path: ["generation", "inception", "inceptionScore", "mean"],
    show: decimals(2),
    wanted: conditions.inception,
    interval: (results) => valueAt(results, ["generation", "inception", "inceptionScoreInterval"]),
  },
  near("precision", percent),
  near("recall", percent),
  near("density", decimals(2)),
  near("coverage", percent),
  {
    name: "sample nearer to training than a test image",
    path: ["generation", "memorisation", "nearer"],
    show: percent,
    wanted: conditions.memorisation,
    interval: (results) => valueAt(results, ["generation", "memorisation", "interval"]),
  },
  {
    name: "Fréchet classifier distance",
    ownName: "Fréchet distance in own features",
    path: ["generation", "frechetClassifierDistance"],
    show: decimals(3),
    wanted: conditions.features,
    interval: (results) => valueAt(results, ["generation", "frechetClassifierInterval"]),
  },
  {
    name: "kernel classifier distance",
    ownName: "kernel distance in own features",
    path: ["generation", "kernelClassifierDistance", "mean"],
    show: decimals(4),
    wanted: conditions.features,
  },
  plain("sharpness", ["landscape", "sharpness"], decimals(4), conditions.sharpness),
  plain(
    "largest Hessian eigenvalue",
    ["landscape", "eigenvalue"],
    (value) => value.toPrecision(2),
    conditions.landscape,
  ),
];

/** The name of a row in a table of these evaluations, all of which have its figure. */
export function rowName({ name, ownName }: Row, evaluations: readonly EvaluationFile[]): string {
  const isOwn = ({ results }: EvaluationFile) => valueAt(results, ["generation", "featuresOf"]) === itself;
  return ownName !== undefined && evaluations.every(isOwn) ? ownName : name;
}
