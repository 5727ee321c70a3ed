/** What has changed since a run started. */

import type { DataDescription } from "../../data/description.ts";
import type { Configuration } from "../configuration.ts";

type Option = keyof Configuration;

/** Options that define a run. With another value, it is another run. */
const identity: readonly Option[] = [
  "dataset",
  "dataLimit",
  "imageSize",
  "testShare",
  "validationCount",
  "labelsPerClass",
  "depth",
  "width",
  "dropout",
  "activations",
  "products",
  "likelihoodBatch",
  "labelledBatch",
  "shards",
  "ascent",
  "norm",
  "unconditional",
  "bufferSize",
  "optimizer",
  "seed",
  "origin",
];

/** Options that change the length of a run, what it reads and what it leaves, but no number that it computes. */
const conduct: readonly Option[] = [
  "dataFolder",
  "residentMebibytes",
  "iterations",
  "epochs",
  "checkpointEvery",
  "checkpointMinutes",
  "samplesEvery",
  "evaluateEvery",
  "keepCheckpoints",
  "recover",
];

/** An option with two values. */
export interface Difference {
  readonly option: Option;
  readonly before: unknown;
  readonly now: unknown;
  /** What depends on the option: the identity of the run, the numbers, or only its length and what it leaves. */
  readonly kind: "identity" | "numbers" | "conduct";
}

/** The options whose values differ and whose change the run's history does not record. */
export function configurationDifferences(before: Configuration, now: Configuration): Difference[] {
  const expected = afterChanges(before, now.history.slice(before.history.length));
  const options = (Object.keys(now) as Option[]).filter((option) => option !== "history");
  return options.filter((option) => JSON.stringify(expected[option]) !== JSON.stringify(now[option]))
    .map((option) => ({ option, before: before[option], now: now[option], kind: kindOf(option) }));
}

/** A configuration after changes by hand. */
function afterChanges(
  before: Configuration,
  history: Configuration["history"],
): Readonly<Record<string, unknown>> {
  const values = history.flatMap(({ changes }) =>
    Object.entries(changes).map(([option, [, value]]) => [option, value] as const)
  );
  return { ...before, ...Object.fromEntries(values) };
}

function kindOf(option: Option): Difference["kind"] {
  if (identity.includes(option)) return "identity";
  return conduct.includes(option) ? "conduct" : "numbers";
}

/** The options with both values, on one line. */
export function differencesText(differences: readonly Difference[], before: string, now: string): string {
  return differences.map(({ option, ...values }) =>
    `${option} is ${JSON.stringify(values.before)} ${before} and ${JSON.stringify(values.now)} ${now}`
  ).join(", ");
}

const dataFields = {
  name: "data set",
  classes: "number of classes",
  trainingImages: "number of training images",
  testImages: "number of test images",
  trainingChecksum: "training images' checksum",
  testChecksum: "test images' checksum",
} as const;

/** The differences between two descriptions of data, with both values; empty if there are none. */
export function dataDifferences(before: DataDescription, now: DataDescription): string[] {
  const fields = Object.keys(dataFields) as (keyof DataDescription)[];
  return fields.filter((field) => before[field] !== now[field])
    .map((field) =>
      `${dataFields[field]} (${JSON.stringify(before[field])} then, ${JSON.stringify(now[field])} now)`
    );
}
