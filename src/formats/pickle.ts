/**
 * The part of Python's pickle format that tensors need. Nothing is ever executed: a pickle that names anything but what
 * its reader knows is refused.
 */

import { FormatError } from "../errors.ts";
import { type Operation, operations, refusedOperations } from "./pickle_operations.ts";

/** A name that a pickle imports, such as `collections.OrderedDict`. */
export class Global {
  constructor(readonly module: string, readonly name: string) {}

  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What can come out of a pickle; `Result` is what the reader makes of known names. */
export type PickleValue<Result> =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Global
  | Result
  | PickleValue<Result>[]
  | Map<PickleValue<Result>, PickleValue<Result>>;

/** What a reader knows. Each function throws a `FormatError` for what it does not. */
export interface PickleReader<Result> {
  /** Whether a pickle may name this. */
  readonly allows: (global: Global) => boolean;
  /** The value of a known name, called with arguments. */
  readonly call: (global: Global, args: readonly PickleValue<Result>[]) => PickleValue<Result>;
  /** The value of a persistent identifier. */
  readonly persistent: (id: PickleValue<Result>) => PickleValue<Result>;
}

const mark = Symbol("mark");

/**
 * Reads one pickle.
 * @param start where it begins in `bytes`
 * @returns the value, and where the next byte after the pickle is
 * @throws {FormatError} if it is damaged, names what the reader does not know, or uses an operation that tensors do not need.
 */
export function parsePickle<Result>(
  bytes: Uint8Array,
  reader: PickleReader<Result>,
  start = 0,
): { value: PickleValue<Result>; end: number } {
  return new Machine(bytes, reader, start).run();
}

/** Largest whole number of a pickle's long integers that is used here, in bytes. */
const longBytes = 8;

class Machine<Result> {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #reader: PickleReader<Result>;
  readonly #stack: (PickleValue<Result> | typeof mark)[] = [];
  readonly #memo = new Map<number, PickleValue<Result>>();
  #at: number;

  constructor(bytes: Uint8Array, reader: PickleReader<Result>, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reader = reader;
    this.#at = start;
  }

  run(): { value: PickleValue<Result>; end: number } {
    for (;;) {
      const code = this.#take(1)[0]!;
      if (code === 0x2e) return { value: this.#pop(), end: this.#at };
      const operation = operations[code];
      if (!operation) {
        const name = refusedOperations[code] ?? `0x${code.toString(16).padStart(2, "0")}`;
        throw new FormatError(`pickle: operation ${name}, which tensors do not need; the file is refused`);
      }
      this.#step(operation);
    }
  }

  #step(operation: Operation): void {
    const stack = this.#stack;
    switch (operation.kind) {
      case "skip":
        this.#take(operation.bytes);
        return;
      case "mark":
        stack.push(mark);
        return;
      case "constant":
        stack.push(operation.value);
        return;
      case "integer":
        stack.push(this.#integer(operation.bytes, operation.signed));
        return;
      case "long":
        stack.push(this.#long(this.#integer(operation.bytes, false)));
        return;
      case "float":
        stack.push(new DataView(this.#take(8).slice().buffer).getFloat64(0));
        return;
      case "text":
        stack.push(decodeText(this.#take(this.#integer(operation.bytes, false))));
        return;
      case "bytes":
        stack.push(this.#take(this.#integer(operation.bytes, false)));
        return;
      case "list":
        stack.push([]);
        return;
      case "dictionary":
        stack.push(new Map());
        return;
      case "tuple":
        stack.push(operation.length === undefined ? this.#popMark() : this.#popMany(operation.length));
        return;
      case "append":
        this.#append(operation.many ? this.#popMark() : [this.#pop()]);
        return;
      case "set":
        this.#set(operation.many ? this.#popMark() : this.#popMany(2));
        return;
      case "put":
        this.#memo.set(
          operation.bytes === 0 ? this.#memo.size : this.#integer(operation.bytes, false),
          this.#top(),
        );
        return;
      case "get":
        stack.push(this.#remembered(this.#integer(operation.bytes, false)));
        return;
      case "global":
        stack.push(this.#global(operation.fromStack));
        return;
      case "call":
        this.#call();
        return;
      case "build":
        this.#build();
        return;
      case "persistent":
        stack.push(this.#reader.persistent(this.#pop()));
        return;
      case "pop":
        if (stack.pop() === undefined) throw damaged();
        return;
    }
  }

  #global(fromStack: boolean): Global {
    const [module, name] = fromStack ? this.#popMany(2) : [this.#line(), this.#line()];
    if (typeof module !== "string" || typeof name !== "string") throw damaged();
    const global = new Global(module, name);
    if (this.#reader.allows(global)) return global;
    throw new FormatError(
      `pickle: it names ${printable(global)}, which tensors do not need; the file is refused`,
    );
  }

  #call(): void {
    const [callee, args] = this.#popMany(2);
    if (!(callee instanceof Global) || !Array.isArray(args)) throw damaged();
    this.#stack.push(this.#reader.call(callee, args));
  }

  /** Sets an object's attributes. Only dictionaries have some (`_metadata`), which nobody needs. */
  #build(): void {
    this.#pop();
    if (!(this.#top() instanceof Map)) throw damaged();
  }

  #append(values: PickleValue<Result>[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw damaged();
    for (const value of values) list.push(value);
  }

  #set(pairs: PickleValue<Result>[]): void {
    const dictionary = this.#top();
    if (!(dictionary instanceof Map) || pairs.length % 2 !== 0) throw damaged();
    for (let i = 0; i < pairs.length; i += 2) dictionary.set(pairs[i]!, pairs[i + 1]!);
  }

  #remembered(index: number): PickleValue<Result> {
    const value = this.#memo.get(index);
    if (value === undefined) throw damaged();
    return value;
  }

  #pop(): PickleValue<Result> {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw damaged();
    return value;
  }

  #popMany(count: number): PickleValue<Result>[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popMark(): PickleValue<Result>[] {
    const start = this.#stack.lastIndexOf(mark);
    if (start < 0) throw damaged();
    return this.#stack.splice(start).slice(1) as PickleValue<Result>[];
  }

  #top(): PickleValue<Result> {
    const value = this.#stack.at(-1);
    if (value === undefined || value === mark) throw damaged();
    return value;
  }

  #take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw new FormatError("pickle: the data are truncated");
    return this.#bytes.subarray(this.#at, this.#at += count);
  }

  #integer(bytes: number, signed: boolean): number {
    const at = this.#at;
    this.#take(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at, true);
    if (bytes === 4) return signed ? this.#view.getInt32(at, true) : this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }

  /** A little-endian number in two's complement of so many bytes. */
  #long(length: number): number {
    if (length > longBytes) throw new FormatError(`pickle: a whole number of ${length} bytes`);
    const digits = this.#take(length);
    let value = 0n;
    digits.forEach((digit, i) => value |= BigInt(digit) << BigInt(8 * i));
    const number = Number(BigInt.asIntN(8 * Math.max(1, length), value));
    if (!Number.isSafeInteger(number)) {
      throw new FormatError(`pickle: the whole number ${number} is too large`);
    }
    return number;
  }

  /** Text up to the end of the line. */
  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw damaged();
    const text = decodeText(this.#take(end - this.#at));
    this.#take(1);
    return text;
  }
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function damaged(): FormatError {
  return new FormatError("pickle: the data are damaged");
}

function printable(global: Global): string {
  return `${global}`.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 100);
}
