/** What figures of several evaluations must have in common to be comparable. */

import { printable } from "../formats/text.ts";
import { itself } from "./question.ts";

/** The parts of an evaluation that are compared. */
interface Evaluated {
  readonly name: string;
  readonly results: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}

/** Where a value is in an evaluation; −1 is an array's last element. */
export type Path = readonly (string | number)[];

/** What must be the same: its name, and its value in an evaluation. */
interface Condition {
  readonly called: string;
  readonly of: (evaluation: Evaluated) => unknown;
}

/** One condition that evaluations of the same figure do not share. */
export interface Difference {
  /** What differs, for example "attacked images". */
  readonly condition: string;
  /** The values, each with the names of the evaluations that have it. */
  readonly values: readonly { readonly value: string; readonly names: readonly string[] }[];
}

const inResults = (called: string, ...path: Path): Condition => ({
  called,
  of: ({ results }) => valueAt(results, path),
});

const inData = (called: string, key: string): Condition => ({
  called,
  of: ({ data }) => valueAt(data, [key]),
});

const testSet = [
  inData("data set", "name"),
  inData("test images", "testImages"),
  inData("test images' checksum", "testChecksum"),
];

const trainingSet = [
  inData("data set", "name"),
  inData("training images", "trainingImages"),
  inData("training images' checksum", "trainingChecksum"),
];

const attack = ["attackOrder", "attackSteps", "attackRestarts"] as const;
const attackNames = {
  attackOrder: "choice of images",
  attackSteps: "attack steps",
  attackRestarts: "restarts",
};

const attackBudget = (...place: Path) => [
  ...testSet,
  inResults("attacked images", ...place, "images"),
  ...attack.map((key) => inResults(attackNames[key], ...place, key)),
];

/** Distances to training images in a model's own features compare with no other model's. */
const features: Condition = {
  called: "features",
  of: ({ name, results }) => {
    const value = valueAt(results, ["generation", "featuresOf"]);
    return value === itself ? `${name} itself` : value;
  },
};

const samples = [
  inResults("samples", "generation", "images"),
  inResults("their origin", "generation", "origin"),
  ...trainingSet,
];

/** The space for neighbours. A model's own features compare with no other model's. */
const space = (figure: "fidelity" | "memorisation"): Condition => ({
  called: "space",
  of: ({ name, results }) => {
    const value = valueAt(results, ["generation", figure, "space"]);
    return value === `features of ${itself}` ? `features of ${name} itself` : value;
  },
});

/** The conditions of each kind of figure. */
export const conditions = {
  test: testSet,
  training: trainingSet,
  attack: attackBudget("robustness"),
  purified: [
    ...attackBudget("robustness", "purified"),
    inResults("purification steps", "robustness", "purified", "steps"),
    inResults("replicas", "robustness", "purified", "attackReplicas"),
    inResults("verifying replicas", "robustness", "purified", "verificationReplicas"),
  ],
  features: [
    ...samples,
    features,
  ],
  inception: [
    ...samples,
    inResults("convention", "generation", "inception", "convention"),
    inResults("judged samples", "generation", "inception", "fidImages"),
    inResults("real images", "generation", "inception", "reference"),
  ],
  fidelity: [
    inResults("their origin", "generation", "origin"),
    ...trainingSet,
    ...testSet.slice(1),
    space("fidelity"),
    inResults("neighbours", "generation", "fidelity", "neighbours"),
    inResults("compared samples", "generation", "fidelity", "images"),
    inResults("compared test images", "generation", "fidelity", "realImages"),
  ],
  memorisation: [
    inResults("their origin", "generation", "origin"),
    ...trainingSet,
    ...testSet.slice(1),
    space("memorisation"),
    inResults("compared samples", "generation", "memorisation", "images"),
    inResults("compared test images", "generation", "memorisation", "heldOutImages"),
  ],
  landscape: [
    ...trainingSet,
    inResults("images", "landscape", "images"),
    inResults("power iterations", "landscape", "powerIterations"),
  ],
  sharpness: [
    ...trainingSet,
    inResults("images", "landscape", "images"),
    inResults("ρ", "landscape", "rho"),
    inResults("adaptive ascent", "landscape", "adaptive"),
  ],
} as const satisfies Record<string, readonly Condition[]>;

/** Conditions of the test images against another set. */
export function otherSetConditions(set: string): readonly Condition[] {
  return [...testSet, inResults("other images", "outOfDistribution", set, "images")];
}

/** The conditions that differ between evaluations. A value that is missing somewhere is no difference there. */
export function differences(
  evaluations: readonly Evaluated[],
  wanted: readonly Condition[],
): Difference[] {
  return wanted.flatMap(({ called, of }) => {
    const byValue = new Map<string, string[]>();
    for (const evaluation of evaluations) {
      const value = of(evaluation);
      const text = value === undefined || value === null
        ? "not stated"
        : printable(typeof value === "string" ? value : JSON.stringify(value));
      byValue.set(text, [...byValue.get(text) ?? [], evaluation.name]);
    }
    if (byValue.size < 2) return [];
    return [{ condition: called, values: [...byValue].map(([value, names]) => ({ value, names })) }];
  });
}

/** A difference on one line, such as "attack steps: 50 (a, b), 10 (c)". */
export function differenceText({ condition, values }: Difference): string {
  return `${condition}: ${values.map(({ value, names }) => `${value} (${names.join(", ")})`).join(", ")}`;
}

/** The value at a path through objects and arrays. */
export function valueAt(value: unknown, path: Path): unknown {
  for (const key of path) {
    if (Array.isArray(value)) value = value.at(Number(key));
    else if (typeof value === "object" && value !== null && Object.hasOwn(value, key)) {
      value = (value as Record<string, unknown>)[key];
    } else return undefined;
  }
  return value;
}
