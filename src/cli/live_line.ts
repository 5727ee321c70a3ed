import { escaped } from "../formats/text.ts";
import { print, whileRead } from "./command.ts";

/** Milliseconds between two lines when the output is not a terminal. */
const plainInterval = 10_000;
/** Characters in a line of a terminal that does not tell its width. */
const usualColumns = 80;

/** A part of a line, such as "loss 0.345". */
export interface LinePart {
  readonly text: string;
  /** If the line is too narrow for all parts, those of a higher rank are left out first. */
  readonly rank: number;
  /** Whether it is close to the next part, like a word before its number. */
  readonly isLabel?: boolean;
}

/**
 * A line of limited length in which no number is cut. A text loses whole words; parts are left out by rank, the last
 * first.
 */
export function fitted(line: string | readonly LinePart[], columns: number): string {
  if (typeof line === "string") return wholeWords(escaped(line), columns);
  const byRank = line.toSorted((a, b) => a.rank - b.rank);
  for (let count = byRank.length; count > 0; count--) {
    const kept = new Set(byRank.slice(0, count));
    const text = escaped(textOf(line.filter((part) => kept.has(part))));
    if (text.length <= columns) return text;
  }
  return "";
}

function textOf(parts: readonly LinePart[]): string {
  return parts.map(({ text, isLabel }) => isLabel ? `${text} ` : `${text}  `).join("").trimEnd();
}

/** As much of a text's beginning as fits without cutting a word; a single word may be cut. */
function wholeWords(text: string, columns: number): string {
  if (text.length <= columns) return text;
  const end = text.lastIndexOf(" ", columns);
  return end > 0 ? text.slice(0, end).trimEnd() : text.slice(0, columns);
}

/** One line that is overwritten in place on a terminal. Elsewhere it is an ordinary line every ten seconds. */
export class LiveLine {
  readonly #terminal = Deno.stdout.isTerminal();
  readonly #encoder = new TextEncoder();
  #shown: string | readonly LinePart[] = "";
  #printed = -Infinity;

  /** Replaces the line. If the output is not a terminal, prints it if the last one was long ago. */
  update(line: string | readonly LinePart[]): void {
    if (!this.#terminal) {
      if (performance.now() - this.#printed < plainInterval) return;
      this.#printed = performance.now();
      print(typeof line === "string" ? line : textOf(line));
      return;
    }
    this.#shown = line;
    this.#write(`\r\x1b[K${fitted(line, columns() - 1)}`);
  }

  /** Replaces the line on a terminal only: for progress that does not belong in a log. */
  progress(text: string): void {
    if (this.#terminal) this.update(text);
  }

  /** Prints a lasting line above. */
  note(text: string): void {
    const shown = this.#shown;
    this.clear();
    print(text);
    if (shown) this.update(shown);
  }

  /** Clears the line. */
  clear(): void {
    if (this.#shown) this.#write("\r\x1b[K");
    this.#shown = "";
  }

  /** Leaves the line as it is and moves to the next. */
  finish(): void {
    if (this.#shown) this.#write("\n");
    this.#shown = "";
  }

  #write(text: string): void {
    whileRead(() => void Deno.stdout.writeSync(this.#encoder.encode(text)));
  }
}

/** The terminal's width. Serial lines and some programs say 0. A terminal of another session may say nothing. */
function columns(): number {
  try {
    return Deno.consoleSize().columns || usualColumns;
  } catch {
    return usualColumns;
  }
}
