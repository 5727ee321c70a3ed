/** The values that a pickle is read as, and what its reader knows. */

import type { Global } from "./pickle_names.ts";

/** A value that a pickle can hold. `Result` is the type that the reader returns for known names. */
export type PickleValue<Result> =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Global
  | PickledObject<Result>
  | Result
  | PickleValue<Result>[]
  | PickledDictionary<Result>;

/** A dictionary of Python's. */
export type PickledDictionary<Result> = Map<PickleValue<Result>, PickleValue<Result>>;

/** An object that is not created, because its reader does not know its class: the parts it would be created from. */
export class PickledObject<Result> {
  /** Its attributes. */
  state: PickleValue<Result> = null;
  /** What it holds if it is a kind of list, or of dictionary. */
  items: PickleValue<Result>[] | undefined;
  entries: PickledDictionary<Result> | undefined;

  /** @param name name of its class, or of the function that would create it */
  constructor(readonly name: string, readonly args: readonly PickleValue<Result>[]) {}
}

/** What a reader knows. */
export interface PickleReader<Result> {
  /** The result of calling a name with arguments; undefined if it is not known, and the object is kept in parts. */
  readonly call: (
    global: Global,
    args: readonly PickleValue<Result>[],
  ) => PickleValue<Result> | undefined;
  /** The value of a persistent identifier. */
  readonly persistent: (id: PickleValue<Result>) => PickleValue<Result>;
}
