import { FormatError } from "../../errors.ts";
import type { PickleValue } from "./pickle_objects.ts";

const mark = Symbol("mark");

/** The error about a pickle that asks for what is not there. */
export function damaged(): FormatError {
  return new FormatError("pickle: the data are damaged");
}

/**
 * The values that a pickle works on: a stack, where marks begin groups of values, and a memo of numbered values. Its
 * methods throw {@link damaged} if there is no such value.
 */
export class PickleStack<Result> {
  readonly #values: (PickleValue<Result> | typeof mark)[] = [];
  readonly #memo: (PickleValue<Result> | undefined)[] = [];
  #remembered = 0;

  push(value: PickleValue<Result>): void {
    this.#values.push(value);
  }

  /** Begins a group. */
  mark(): void {
    this.#values.push(mark);
  }

  /** Takes a value. */
  pop(): PickleValue<Result> {
    const value = this.#values.pop();
    if (value === undefined || value === mark) throw damaged();
    return value;
  }

  /** Takes values, the last one last. */
  popMany(count: number): PickleValue<Result>[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  /** Takes the last group with its mark. */
  popGroup(): PickleValue<Result>[] {
    const start = this.#values.lastIndexOf(mark);
    if (start < 0) throw damaged();
    return this.#values.splice(start).slice(1) as PickleValue<Result>[];
  }

  /** Takes a value or a mark. */
  drop(): void {
    if (this.#values.pop() === undefined) throw damaged();
  }

  /** The last value, which stays. */
  get top(): PickleValue<Result> {
    const value = this.#values.at(-1);
    if (value === undefined || value === mark) throw damaged();
    return value;
  }

  /** How many numbers the memo has. */
  get remembered(): number {
    return this.#remembered;
  }

  /** Gives the last value a number, which may be in use. */
  remember(index: number): void {
    const value = this.top;
    while (this.#memo.length < index) this.#memo.push(undefined);
    if (this.#memo[index] === undefined) this.#remembered++;
    this.#memo[index] = value;
  }

  /** The value with a number. */
  recall(index: number): PickleValue<Result> {
    const value = this.#memo[index];
    if (value === undefined) throw damaged();
    return value;
  }
}
