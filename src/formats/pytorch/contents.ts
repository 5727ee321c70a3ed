import { FormatError } from "../../errors.ts";
import { mostTensors } from "../budget.ts";
import { PickledObject } from "./pickle_objects.ts";
import { type TorchValue, View } from "./tensors.ts";

/** The contents of a PyTorch file, by their paths through nested dictionaries, lists and objects. */
export interface Contents {
  readonly views: ReadonlyMap<string, View>;
  /** Everything that is not a tensor: every entry of a dictionary, without the entries of lists. */
  readonly others: readonly string[];
  /** Other paths of a dictionary, and the path under which its tensors are found. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Most nested containers. A whole pickled network has about twelve. */
const deepest = 24;
/** Longest name or path of a tensor. Many longer ones would fill the memory. */
const longestPath = 400;
/** More than any checkpoint has. */
const mostNames = 10_000;

/**
 * Finds tensors wherever they are in the value of a pickle.
 * @throws {FormatError} if there are more than any checkpoint has.
 */
export function contentsOf(value: TorchValue): Contents {
  const search = new Search();
  search.visit(value, "", 0);
  return search;
}

class Search implements Contents {
  readonly views = new Map<string, View>();
  readonly aliases = new Map<string, string>();
  readonly #others = new Set<string>();
  /** Each container is entered once. One that holds itself a thousand times would name a billion tensors. */
  readonly #entered = new Map<object, string>();

  get others(): readonly string[] {
    return [...this.#others];
  }

  visit(value: TorchValue, path: string, depth: number): void {
    if (value instanceof View) {
      if (this.views.size === mostTensors) throw new FormatError(`PyTorch: more than ${mostTensors} tensors`);
      this.views.set(path, value);
    } else if (value instanceof Map || Array.isArray(value) || value instanceof PickledObject) {
      this.#enter(value, path, depth);
    } else {
      this.#note(path);
    }
  }

  #enter(
    container: Map<TorchValue, TorchValue> | TorchValue[] | PickledObject<unknown>,
    path: string,
    depth: number,
  ): void {
    const before = this.#entered.get(container);
    if (before !== undefined) {
      if (this.aliases.size < mostNames) this.aliases.set(path, before);
      return;
    }
    if (depth === deepest) return this.#note(path);
    this.#entered.set(container, path);
    if (container instanceof Map) this.#dictionary(container, path, depth);
    else if (Array.isArray(container)) this.#list(container, path, depth);
    else this.#object(container as PickledObject<View>, path, depth);
  }

  #dictionary(entries: Map<TorchValue, TorchValue>, path: string, depth: number): void {
    if (entries.size === 0) this.#note(path);
    for (const [key, entry] of entries) {
      if (typeof key === "string" || typeof key === "number") this.#inside(entry, path, `${key}`, depth);
    }
  }

  /** Lists hold tensors, or thousands of numbers, for which the list's own name is enough. */
  #list(entries: readonly TorchValue[], path: string, depth: number): void {
    let plain = entries.length === 0;
    for (const [i, entry] of entries.entries()) {
      if (typeof entry === "object" && entry !== null) this.#inside(entry, path, `${i}`, depth);
      else plain = true;
    }
    if (plain) this.#note(path);
  }

  /** An object's parts get the object's own path, like attributes in PyTorch's names. */
  #object({ args, state, items, entries }: PickledObject<View>, path: string, depth: number): void {
    this.#note(path);
    for (const part of [entries, items, state, args]) {
      if (typeof part === "object" && part !== null) this.visit(part as TorchValue, path, depth + 1);
    }
  }

  #inside(value: TorchValue, path: string, key: string, depth: number): void {
    if (path.length + key.length > longestPath) return;
    this.visit(value, path === "" ? key : `${path}.${key}`, depth + 1);
  }

  #note(path: string): void {
    if (path !== "" && this.#others.size < mostNames) this.#others.add(path);
  }
}
