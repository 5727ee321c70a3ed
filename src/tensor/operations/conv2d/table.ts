import { TuningError } from "../../../errors.ts";
import { conv2dConstants, type Conv2dShape } from "../../../kernels/conv2d/shape.ts";
import { type Direction, directions } from "./algorithm.ts";
import { candidatesVersion, conv2dCandidates, type ConvolutionAdapter } from "./candidates.ts";
import { type Conv2dChooser, describeConv2d } from "./choice.ts";

/** One choice: which algorithm computes a convolution in one direction. */
export interface Conv2dTableEntry extends Conv2dShape {
  readonly direction: Direction;
  readonly algorithm: string;
}

/** Choices of algorithms that were made on one adapter, as a JSON file keeps them. */
export interface Conv2dTable {
  /** The adapter's description and backend. */
  readonly adapter: string;
  /** Version of the lists of candidates. */
  readonly version: number;
  readonly choices: readonly Conv2dTableEntry[];
}

type Adapter = ConvolutionAdapter & { readonly adapterName: string };

const shapeKeys = [
  "batch",
  "height",
  "width",
  "inChannels",
  "outChannels",
  "kernel",
  "stride",
  "padding",
] as const satisfies (keyof Conv2dShape)[];

/** Far above any real extent, and small enough that products of a few of them stay exact. */
const largestExtent = 2 ** 20;

const howToGoOn = "without the file, the default kernels are used";

/** A table for this adapter. */
export function conv2dTable({ adapterName }: Adapter, choices: readonly Conv2dTableEntry[]): Conv2dTable {
  return { adapter: adapterName, version: candidatesVersion, choices };
}

/** Picks what a table names, and the default where it names nothing. */
export function conv2dChooser(table: Conv2dTable): Conv2dChooser {
  const names = new Map(table.choices.map((entry) => [keyOf(entry.direction, entry), entry.algorithm]));
  return (candidates, direction, shape) => {
    const name = names.get(keyOf(direction, shape));
    const found = candidates.find((candidate) => candidate.name === name);
    if (name !== undefined && !found) throw new TuningError(notOffered(name, direction, shape, candidates));
    return found ?? candidates[0];
  };
}

/** A table in which another's choices replace those for the same convolutions. */
export function mergeConv2dTables(before: Conv2dTable, after: Conv2dTable): Conv2dTable {
  const byKey = new Map(
    [...before.choices, ...after.choices].map((entry) => [keyOf(entry.direction, entry), entry]),
  );
  const sorted = [...byKey].toSorted(([a], [b]) => a < b ? -1 : 1);
  return { ...after, choices: sorted.map(([, entry]) => entry) };
}

/**
 * Reads a table.
 * @param text JSON
 * @throws {TuningError} if it is damaged, made on another adapter or for another version, or names an algorithm that is not
 *   among the candidates.
 */
export function parseConv2dTable(text: string, adapter: Adapter): Conv2dTable {
  const { adapter: name, version, choices } = fieldsOf(parseJson(text), "the file");
  if (typeof name !== "string" || !Number.isInteger(version) || !Array.isArray(choices)) {
    throw new TuningError("damaged table of kernels: it must have an adapter, a version and choices");
  }
  if (name !== adapter.adapterName) throw new TuningError(otherAdapter(name, adapter.adapterName));
  if (version !== candidatesVersion) {
    throw new TuningError(
      `the kernels were chosen among those of version ${version}; these are of version ${candidatesVersion} (${howToGoOn})`,
    );
  }
  return conv2dTable(adapter, choices.map((choice, i) => entryOf(choice, `choice ${i + 1}`, adapter)));
}

/** Names of adapters end in their backend. Older files lack it, and could come from another backend. */
function otherAdapter(name: string, adapterName: string): string {
  const [unsaid, remedy] = adapterName.startsWith(`${name}, `)
    ? [", by a backend that the file does not name", "if it was the same, write this name into the file; "]
    : ["", ""];
  return `the kernels were chosen on ${show(name)}${unsaid}; this is ${
    show(adapterName)
  } (${remedy}${howToGoOn})`;
}

function entryOf(value: unknown, what: string, adapter: Adapter): Conv2dTableEntry {
  const fields = fieldsOf(value, what);
  const direction = directions.find((name) => name === fields["direction"]);
  if (!direction) throw damaged(what, "direction", fields["direction"]);
  const algorithm = fields["algorithm"];
  if (typeof algorithm !== "string") throw damaged(what, "algorithm", algorithm);
  const shape = shapeOf(fields, what);
  const candidates: readonly { readonly name: string }[] = conv2dCandidates(adapter, shape)[direction];
  if (candidates.some((candidate) => candidate.name === algorithm)) return { direction, ...shape, algorithm };
  throw new TuningError(notOffered(algorithm, direction, shape, candidates));
}

function shapeOf(fields: Readonly<Record<string, unknown>>, what: string): Conv2dShape {
  const extents = shapeKeys.map((key) => {
    const value = fields[key];
    const least = key === "padding" ? 0 : 1;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= largestExtent) {
      return [key, value] as const;
    }
    throw damaged(what, key, value);
  });
  const shape = Object.fromEntries(extents) as unknown as Conv2dShape;
  try {
    conv2dConstants(shape);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new TuningError(`damaged table of kernels: ${what}: ${error.message}`);
    }
    throw error;
  }
  return shape;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TuningError(`damaged table of kernels: not valid JSON: ${(error as Error).message}`);
  }
}

function fieldsOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new TuningError(`damaged table of kernels: ${what} is not an object`);
}

function damaged(what: string, key: string, value: unknown): TuningError {
  return new TuningError(`damaged table of kernels: ${what} has the ${key} ${show(value)}`);
}

/** A value on one line, cut to a readable length. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function notOffered(
  name: string,
  direction: Direction,
  shape: Conv2dShape,
  candidates: readonly { readonly name: string }[],
): string {
  return `there is no algorithm ${show(name)} for ${direction} ${describeConv2d(shape)}; ` +
    `there is ${candidates.map((candidate) => candidate.name).join(", ")}`;
}

function keyOf(direction: Direction, shape: Conv2dShape): string {
  return `${direction} ${describeConv2d(shape)}`;
}
