import { FormatError } from "../errors.ts";
import { printable } from "../formats/text.ts";

/** The parts of an evaluation's `results.json` that are compared. */
export interface EvaluationFile {
  readonly results: Readonly<Record<string, unknown>>;
  /** What it was evaluated on. */
  readonly data?: unknown;
  /** Number of iterations that the model was trained for. */
  readonly iteration?: number;
}

/** Most bytes of a file of results. Those of an evaluation have some hundred thousand. */
export const mostResultBytes: number = 2 ** 22;
/** Most other sets of images, and most points of a curve. An evaluation has about ten. */
const mostSets = 100;
const mostPoints = 1000;

/**
 * Checks the JSON of an evaluation, as far as its parts are used.
 * @throws {FormatError} if it is not an evaluation, or a part has the wrong type.
 */
export function evaluationOf(value: unknown): EvaluationFile {
  if (!isObject(value) || !isObject(value["results"])) {
    throw new FormatError("it holds no results of an evaluation");
  }
  const { results, data, iteration } = value as {
    results: Record<string, unknown>;
    data?: unknown;
    iteration?: unknown;
  };
  const refuse = (what: string) => new FormatError(`it is damaged: ${what}`);
  for (const [name, answer] of Object.entries(results)) {
    if (!isObject(answer)) throw refuse(`the answer "${printable(name)}" is not an object`);
  }
  if (data !== undefined && !isObject(data)) throw refuse('"data" is not an object');
  const sets = Object.keys(results["outOfDistribution"] ?? {}).length;
  if (sets > mostSets) throw refuse(`${sets} other sets of images, where at most ${mostSets} are compared`);
  return { results, data, ...(typeof iteration === "number" && { iteration }) };
}

/** A curve's points `[x, y]`, if a value holds such points. */
export function pointsOf(value: unknown): readonly (readonly [number, number])[] | undefined {
  const isPoint = (point: unknown) =>
    Array.isArray(point) && point.length === 2 && point.every((part) => Number.isFinite(part));
  const isCurve = Array.isArray(value) && value.length > 0 && value.length <= mostPoints &&
    value.every(isPoint);
  return isCurve ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
