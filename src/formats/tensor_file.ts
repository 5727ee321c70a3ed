import type { NamedTensor } from "./named_tensor.ts";

/** What a file says of a tensor. */
export interface TensorDescription {
  /** Type of the elements, in the file's own words where it is one that is not read. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** A file of tensors, of which those are read that are needed: what is wrong with another does not matter. */
export interface TensorFile {
  /** All tensors by name, in the file's order. */
  readonly tensors: ReadonlyMap<string, TensorDescription>;
  /** Names of whatever else it holds. */
  readonly others: readonly string[];
  /** Further names of groups of tensors: `b` for `a` if the tensors below `a.` are those below `b.` too. */
  readonly aliases: ReadonlyMap<string, string>;
  /**
   * Reads tensors of {@link tensors}.
   * @throws {FormatError} if one of them is damaged, or its elements are of a type that is not read.
   */
  read(names: Iterable<string>): Promise<Map<string, NamedTensor>>;
}
