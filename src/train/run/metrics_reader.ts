/**
 * The curves in a file of metrics, read while the file grows. It also runs in a browser. What happens to the file
 * itself when a run is resumed is decided in `metrics_file.ts`.
 */

import { type Health, type Sign, watch } from "../recovery/health.ts";
import { type CurvePoint, ThinnedCurve } from "./thinned_curve.ts";

/** What can be drawn of a run. Energies are those of real images x_p and generated ones x_q, minus their scores. */
export const curveNames = [
  "loss",
  "crossEntropy",
  "accuracy",
  "realEnergy",
  "generatedEnergy",
  "gradientNorm",
  "learningRate",
  "imagesPerSecond",
  "testLoss",
  "testAccuracy",
  "validationLoss",
  "validationAccuracy",
] as const;

/** One of {@link curveNames}. */
export type CurveName = typeof curveNames[number];

/** Where a row has the values of curves. −1 turns a score into an energy. */
const fields: readonly (readonly [curve: CurveName, field: string, factor: 1 | -1])[] = [
  ["loss", "loss", 1],
  ["crossEntropy", "crossEntropy", 1],
  ["accuracy", "accuracy", 1],
  ["realEnergy", "realScore", -1],
  ["generatedEnergy", "generatedScore", -1],
  ["gradientNorm", "gradientNorm", 1],
  ["learningRate", "learningRate", 1],
];

/** The same for a row with the result of a test, by the set of images that was tested. */
const testFields: ReadonlyMap<unknown, typeof fields> = new Map([
  ["test", [["testLoss", "testLoss", 1], ["testAccuracy", "testAccuracy", 1]]],
  ["validation", [["validationLoss", "testLoss", 1], ["validationAccuracy", "testAccuracy", 1]]],
]);

/** Most characters of a line. A row has about four hundred. */
const longestLine = 2 ** 16;
/** Least number of seconds over which the speed is measured. Rows are written about once a second, many at a time. */
const speedInterval = 1;

/** The contents of a line. */
interface Row {
  readonly iteration: number;
  /** Time since the run's start. */
  readonly seconds: number | undefined;
  readonly values: readonly (readonly [CurveName, number])[];
  /** Whether it is the result of a test rather than an iteration. */
  readonly isTest: boolean;
}

/**
 * Reads a file of metrics piece by piece. A line that is not a row is counted and left out. The beginning of a line
 * waits for its end. If an iteration has several rows, as after a return to an earlier checkpoint, the last one counts.
 */
export class MetricsReader {
  readonly #curves: ReadonlyMap<CurveName, ThinnedCurve>;
  readonly #imagesPerIteration: number | undefined;
  readonly #classes: number | undefined;
  #unfinished = "";
  /** Whether the unfinished line is too long to keep. */
  #overlong = false;
  #damaged = 0;
  #repeated = 0;
  #rows = 0;
  #last = { iteration: -1, seconds: NaN };
  #health: Health = { means: {} };
  #sign: Sign | undefined;
  /** Where the speed was last measured. */
  #timed: { readonly iteration: number; readonly seconds: number } | undefined;

  /**
   * @param imagesPerIteration number of real images in an iteration, for the speed; without it there is no speed
   * @param classes number of classes, for signs of divergence; without it there are none
   * @param mostBuckets the same as for {@link ThinnedCurve}
   */
  constructor({ imagesPerIteration, classes, mostBuckets }: {
    readonly imagesPerIteration?: number | undefined;
    readonly classes?: number | undefined;
    readonly mostBuckets?: number | undefined;
  } = {}) {
    this.#imagesPerIteration = imagesPerIteration;
    this.#classes = classes;
    this.#curves = new Map(curveNames.map((name) => [name, new ThinnedCurve(mostBuckets)]));
  }

  /** Number of lines that are not rows. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Number of rows of iterations that did not follow the row before. */
  get repeated(): number {
    return this.#repeated;
  }

  /** Number of rows of iterations, including those that later ones replaced. */
  get rows(): number {
    return this.#rows;
  }

  /** The iteration of the last row (−1 before the first) and its time (NaN if it has none). */
  get last(): { readonly iteration: number; readonly seconds: number } {
    return this.#last;
  }

  /** The sign of divergence in the last row, if there is one. A training then goes back or stops. */
  get sign(): Sign | undefined {
    return this.#sign;
  }

  /** Number of points that are kept of all curves. */
  get kept(): number {
    return this.#curves.values().reduce((sum, curve) => sum + curve.count, 0);
  }

  /** The points of a curve, by iteration; none if the run has no such values. */
  curve(name: CurveName): CurvePoint[] {
    const points = this.#curves.get(name)!.points();
    return points.some(({ value }) => !Number.isNaN(value)) ? points : [];
  }

  /** Takes the next piece of the file. */
  push(text: string): void {
    const lines = text.split("\n");
    const rest = lines.pop()!;
    for (const line of lines) {
      this.#finish(line);
      this.#unfinished = "";
      this.#overlong = false;
    }
    this.#unfinished += rest;
    if (this.#unfinished.length > longestLine) {
      this.#overlong = true;
      this.#unfinished = "";
    }
  }

  /** Says that nothing follows: a rest without an end counts as a line. */
  end(): void {
    if (this.#unfinished !== "" || this.#overlong) this.push("\n");
  }

  #finish(end: string): void {
    const line = this.#unfinished + end;
    const row = this.#overlong || line.length > longestLine ? undefined : rowOf(line);
    if (!row) this.#damaged++;
    else if (row.isTest) this.#add({ ...row, seconds: row.seconds ?? this.#last.seconds });
    else this.#takeIteration(row);
  }

  #takeIteration(row: Row): void {
    this.#rows++;
    if (row.iteration <= this.#last.iteration) {
      this.#repeated++;
      this.#timed = undefined;
      this.#health = { means: {} };
    }
    const { iteration, seconds = NaN } = row;
    this.#last = { iteration, seconds };
    this.#add({ ...row, seconds });
    this.#measureSpeed(iteration, seconds);
    this.#watchHealth(row);
  }

  #watchHealth({ iteration, values }: Row): void {
    if (this.#classes === undefined) return;
    const value = new Map(values);
    const of = (name: CurveName) => value.get(name) ?? NaN;
    const { health, sign } = watch(this.#health, [{
      iteration,
      crossEntropy: of("crossEntropy"),
      realScore: -of("realEnergy"),
      generatedScore: -of("generatedEnergy"),
      gradientNorm: of("gradientNorm"),
    }], this.#classes);
    this.#health = health;
    const isLost = value.has("loss") && Number.isNaN(of("loss"));
    this.#sign = sign ??
      (isLost ? { iteration, began: iteration, seen: "a loss that is not finite" } : undefined);
  }

  #add({ iteration, seconds, values }: Row & { readonly seconds: number }): void {
    for (const [name, value] of values) this.#curves.get(name)!.add({ iteration, seconds, value });
  }

  #measureSpeed(iteration: number, seconds: number): void {
    if (this.#imagesPerIteration === undefined || Number.isNaN(seconds)) return;
    const before = this.#timed;
    // A process that continues may count from less than the lost rows said.
    if (!before || seconds < before.seconds) this.#timed = { iteration, seconds };
    else if (seconds >= before.seconds + speedInterval) {
      const value = (iteration - before.iteration) * this.#imagesPerIteration / (seconds - before.seconds);
      this.#curves.get("imagesPerSecond")!.add({ iteration, seconds, value });
      this.#timed = { iteration, seconds };
    }
  }
}

/** A line as a row; undefined if it is not one. Fields of other versions may be there or missing. */
function rowOf(line: string): Row | undefined {
  const row = objectOf(line);
  const { iteration, seconds, set } = row ?? {};
  if (!row || !Number.isSafeInteger(iteration) || (iteration as number) < 0) return undefined;
  const isTest = set !== undefined;
  const wanted = isTest ? testFields.get(set) : fields;
  const values = wanted && valuesOf(row, wanted);
  if (!values || values.length === 0 || !isNumber(seconds)) return undefined;
  const isTime = Number.isFinite(seconds) && (seconds as number) >= 0;
  return { iteration: iteration as number, seconds: isTime ? seconds as number : undefined, values, isTest };
}

/** The values of the curves that an object has fields for; undefined if one of them is not a number. */
function valuesOf(
  object: Readonly<Record<string, unknown>>,
  wanted: typeof fields,
): (readonly [CurveName, number])[] | undefined {
  const values: (readonly [CurveName, number])[] = [];
  for (const [curve, field, factor] of wanted) {
    const value = object[field];
    if (!isNumber(value)) return undefined;
    if (value === undefined) continue;
    const isFinite = value !== null && Number.isFinite(value);
    values.push([curve, isFinite ? factor * value : NaN]);
  }
  return values;
}

/** A number, null (which stands for one that is not finite), or nothing. */
function isNumber(value: unknown): value is number | null | undefined {
  return value === undefined || value === null || typeof value === "number";
}

function objectOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}
