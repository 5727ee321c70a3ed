import { FormatError } from "../errors.ts";
import { printable } from "../formats/text.ts";

/** What `results.json` holds of an evaluation, as far as it is compared. */
export interface EvaluationFile {
  readonly results: Readonly<Record<string, unknown>>;
  /** What it was evaluated on. */
  readonly data?: unknown;
  /** Iterations that had trained the model. */
  readonly iteration?: number;
}

/** Bytes of a file of results that is read: those of an evaluation have some hundred thousand. */
export const mostResultBytes: number = 2 ** 22;
/** Other sets of images, and points of a curve: an evaluation has about ten. */
const mostSets = 100;
const mostPoints = 1000;

/**
 * Checks what JSON holds of an evaluation, as far as its parts are taken for what they should be.
 * @throws {FormatError} if it is no evaluation, or a part is of another kind.
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

/** A curve's points `[x, y]`, if that is what a value is. */
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
