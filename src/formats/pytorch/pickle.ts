/**
 * Python's pickle format, protocols 0 to 5, read as data: nothing is ever imported or called. Where a pickle would
 * create an object, its parts are kept, unless the reader knows the name.
 */

import { FormatError } from "../../errors.ts";
import { pickleCosts } from "../budget.ts";
import { PickleBytes } from "./pickle_bytes.ts";
import { dictionaries, Global, makers, runsCode, sequences } from "./pickle_names.ts";
import {
  type PickledDictionary,
  PickledObject,
  type PickleReader,
  type PickleValue,
} from "./pickle_objects.ts";
import { type LineKind, type Operation, operations, refusedOperations } from "./pickle_operations.ts";
import { damaged, PickleStack } from "./pickle_stack.ts";
import { floatOf, integerOf, lineOf, longOf } from "./pickle_values.ts";

/** Longest name of a class. Taking a name apart takes time each time it occurs. */
const longestName = 1000;

/**
 * Reads one pickle.
 * @param budget bytes of memory that its values may take, roughly; the work grows with them
 * @param start where it begins in `bytes`
 * @returns the value, and where the next byte after the pickle is
 * @throws {FormatError} if it is damaged, names code to run (see {@link runsCode}), refers to something outside the
 *   file, or takes more than the budget.
 */
export function parsePickle<Result>(
  bytes: Uint8Array,
  reader: PickleReader<Result>,
  budget: number,
  start = 0,
): { value: PickleValue<Result>; end: number } {
  return new Machine(bytes, reader, budget, start).run();
}

class Machine<Result> {
  readonly #bytes: PickleBytes;
  readonly #reader: PickleReader<Result>;
  readonly #stack = new PickleStack<Result>();
  readonly #dictionaries = new WeakMap<PickleValue<Result>[], PickledDictionary<Result>>();
  readonly #budget: number;
  #spent = 0;

  constructor(bytes: Uint8Array, reader: PickleReader<Result>, budget: number, start: number) {
    this.#budget = budget;
    this.#bytes = new PickleBytes(bytes, start);
    this.#reader = reader;
  }

  run(): { value: PickleValue<Result>; end: number } {
    for (;;) {
      const code = this.#bytes.take(1)[0]!;
      if (code === 0x2e) return { value: this.#stack.pop(), end: this.#bytes.at };
      const operation = operations[code];
      if (!operation) {
        const name = refusedOperations[code] ?? `0x${code.toString(16).padStart(2, "0")}`;
        throw new FormatError(`pickle: operation ${name}, which tensors do not need; the file is refused`);
      }
      this.#spend(pickleCosts.operation);
      this.#step(operation);
    }
  }

  /** Counts memory, which also bounds the number of operations. */
  #spend(bytes: number): void {
    this.#spent += bytes;
    if (this.#spent <= this.#budget) return;
    throw new FormatError(
      `pickle: its values take more than ${
        Math.floor(this.#budget / 2 ** 20)
      } MiB of memory, more than tensors can need; the file is refused`,
    );
  }

  #step(operation: Operation): void {
    const stack = this.#stack;
    switch (operation.kind) {
      case "skip":
        this.#bytes.take(operation.bytes);
        return;
      case "mark":
        stack.mark();
        return;
      case "constant":
        stack.push(operation.value);
        return;
      case "integer":
        stack.push(this.#bytes.integer(operation.bytes, operation.signed));
        return;
      case "long":
        this.#spend(pickleCosts.number);
        stack.push(longOf(this.#sized(operation.bytes)));
        return;
      case "float":
        this.#spend(pickleCosts.number);
        stack.push(floatOf(this.#bytes.take(8)));
        return;
      case "line":
        this.#spend(pickleCosts.number);
        stack.push(this.#lineValue(operation.of));
        return;
      case "text":
        stack.push(this.#text(this.#sized(operation.bytes)));
        return;
      case "bytes":
        this.#spend(pickleCosts.object);
        stack.push(this.#sized(operation.bytes));
        return;
      case "dictionary":
        this.#spend(pickleCosts.dictionary);
        stack.push(new Map());
        return;
      case "entries":
        this.#spend(pickleCosts.dictionary);
        stack.push(this.#withPairs(new Map(), stack.popGroup()));
        return;
      case "sequence":
        this.#spend(pickleCosts.list);
        stack.push(operation.length === undefined ? stack.popGroup() : stack.popMany(operation.length));
        return;
      case "append":
        this.#append(operation.many ? stack.popGroup() : [stack.pop()]);
        return;
      case "set":
        this.#set(operation.many ? stack.popGroup() : stack.popMany(2));
        return;
      case "put":
        this.#memoize(this.#index(operation.bytes));
        return;
      case "memoize":
        this.#memoize(stack.remembered);
        return;
      case "get":
        stack.push(stack.recall(this.#index(operation.bytes)));
        return;
      case "global":
        stack.push(this.#global(operation.fromStack));
        return;
      case "call":
        this.#call(operation.from);
        return;
      case "build":
        this.#build();
        return;
      case "persistent":
        this.#spend(pickleCosts.object);
        stack.push(this.#reader.persistent(stack.pop()));
        return;
      case "persistentLine":
        this.#spend(pickleCosts.object);
        stack.push(this.#reader.persistent(this.#line()));
        return;
      case "pop":
        stack.drop();
        return;
      case "popMark":
        stack.popGroup();
        return;
      case "duplicate":
        stack.push(stack.top);
        return;
    }
  }

  #global(fromStack: boolean): Global {
    const [module, name] = fromStack ? this.#stack.popMany(2) : [this.#line(), this.#line()];
    if (typeof module !== "string" || typeof name !== "string") throw damaged();
    if (module.length + name.length > longestName) throw damaged();
    this.#spend(pickleCosts.object);
    const global = new Global(module, name);
    if (!runsCode(global)) return global;
    throw new FormatError(`pickle: it names ${global}, which tensors do not need; the file is refused`);
  }

  #call(from: "arguments" | "keywords" | "mark" | "line"): void {
    if (from === "line") {
      const callee = this.#global(false);
      this.#stack.push(this.#made(callee, this.#stack.popGroup()));
    } else if (from === "mark") {
      const [callee, ...args] = this.#stack.popGroup();
      this.#stack.push(this.#made(callee, args));
    } else {
      const keywords = from === "keywords" ? this.#stack.pop() : null;
      const [callee, args] = this.#stack.popMany(2);
      if (!Array.isArray(args)) throw damaged();
      const made = this.#made(callee, args);
      if (made instanceof PickledObject) made.state = keywords;
      this.#stack.push(made);
    }
  }

  /** The result of a call. Python's own containers are known; other names are left to the reader. */
  #made(callee: PickleValue<Result> | undefined, args: readonly PickleValue<Result>[]): PickleValue<Result> {
    this.#spend(pickleCosts.object);
    if (callee instanceof PickledObject) return new PickledObject(callee.name, args);
    if (!(callee instanceof Global)) throw damaged();
    const name = `${callee}`;
    if (dictionaries.has(name)) return this.#dictionary(args.at(name === "collections.defaultdict" ? 1 : 0));
    if (sequences.has(name)) return Array.isArray(args[0]) ? args[0] : [];
    if (makers.has(name)) return new PickledObject(`${args[0] instanceof Global ? args[0] : callee}`, args);
    return this.#reader.call(callee, args) ?? new PickledObject(name, args);
  }

  /**
   * A dictionary made from another one, or from pairs, as in Python 2's `OrderedDict`. The same pairs give the same
   * dictionary, so that a few bytes cannot cause many copies.
   */
  #dictionary(of: PickleValue<Result> | undefined): PickledDictionary<Result> {
    if (of instanceof Map) return of;
    this.#spend(pickleCosts.dictionary);
    if (!Array.isArray(of)) return new Map();
    const known = this.#dictionaries.get(of);
    if (known) return known;
    const made: PickledDictionary<Result> = new Map();
    for (const pair of of) {
      if (Array.isArray(pair) && pair.length === 2) this.#setPair(made, pair[0]!, pair[1]!);
    }
    this.#dictionaries.set(of, made);
    return made;
  }

  /**
   * Sets an object's attributes. Nobody needs those of the values created here (such as a state dict's `_metadata`).
   */
  #build(): void {
    const state = this.#stack.pop();
    const target = this.#stack.top;
    if (typeof target !== "object" || target === null) throw damaged();
    if (target instanceof PickledObject) target.state = state;
  }

  #append(values: PickleValue<Result>[]): void {
    const target = this.#stack.top;
    const list = target instanceof PickledObject ? target.items ??= this.#newList() : target;
    if (!Array.isArray(list)) throw damaged();
    for (const value of values) list.push(value);
  }

  #set(pairs: PickleValue<Result>[]): void {
    const target = this.#stack.top;
    const dictionary = target instanceof PickledObject ? target.entries ??= this.#newDictionary() : target;
    if (!(dictionary instanceof Map)) throw damaged();
    this.#withPairs(dictionary, pairs);
  }

  #newList(): PickleValue<Result>[] {
    this.#spend(pickleCosts.list);
    return [];
  }

  #newDictionary(): PickledDictionary<Result> {
    this.#spend(pickleCosts.dictionary);
    return new Map();
  }

  #withPairs(
    dictionary: PickledDictionary<Result>,
    pairs: readonly PickleValue<Result>[],
  ): PickledDictionary<Result> {
    if (pairs.length % 2 !== 0) throw damaged();
    for (let i = 0; i < pairs.length; i += 2) this.#setPair(dictionary, pairs[i]!, pairs[i + 1]!);
    return dictionary;
  }

  /**
   * Entries whose keys are neither text nor small integers are left out. Nothing needs them, and other keys can be
   * chosen so that they all collide in a hash table.
   */
  #setPair(
    dictionary: PickledDictionary<Result>,
    key: PickleValue<Result>,
    value: PickleValue<Result>,
  ): void {
    if (typeof key !== "string" && !(typeof key === "number" && (key | 0) === key)) return;
    this.#spend(pickleCosts.entry);
    dictionary.set(key, value);
  }

  /** Writers number what they remember in order, so no index exceeds the number of operations. */
  #memoize(index: number): void {
    if (index > this.#spent / pickleCosts.operation) throw damaged();
    this.#spend(pickleCosts.memo);
    this.#stack.remember(index);
  }

  /** Bytes with their count written before them. */
  #sized(bytes: number): Uint8Array {
    return this.#bytes.take(this.#bytes.integer(bytes, false));
  }

  /** Bytes as text, which takes up to two bytes for each. */
  #text(bytes: Uint8Array): string {
    this.#spend(pickleCosts.number + 2 * bytes.length);
    return decoder.decode(bytes);
  }

  /** An index of the memo: a number of `bytes` bytes, or a line. */
  #index(bytes: number | undefined): number {
    if (bytes !== undefined) return this.#bytes.integer(bytes, false);
    const index = integerOf(this.#line());
    if (typeof index !== "number" || index < 0) throw damaged();
    return index;
  }

  #lineValue(kind: LineKind): PickleValue<Result> {
    const value = lineOf(kind, this.#line());
    if (value === undefined) throw damaged();
    return value;
  }

  /** Text up to the end of the line. */
  #line(): string {
    const line = this.#bytes.line();
    if (!line) throw damaged();
    return this.#text(line);
  }
}

const decoder = new TextDecoder();
