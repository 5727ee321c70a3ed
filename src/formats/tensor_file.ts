import type { NamedTensor } from "./named_tensor.ts";

/** What a file says about a tensor. */
export interface TensorDescription {
  /** Type of the elements, in the file's own words if it is not read. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** A file of tensors that are read on demand. A fault in one does not matter to a reader of another. */
export interface TensorFile {
  /** All tensors by name, in the file's order. */
  readonly tensors: ReadonlyMap<string, TensorDescription>;
  /** Names of everything else in the file. */
  readonly others: readonly string[];
  /** Further names of groups of tensors: `b` for `a` if the tensors below `a.` are also those below `b.`. */
  readonly aliases: ReadonlyMap<string, string>;
  /**
   * Reads some of {@link tensors}.
   * @throws {FormatError} if one of them is damaged, or its elements are of a type that is not read.
   */
  read(names: Iterable<string>): Promise<Map<string, NamedTensor>>;
}
