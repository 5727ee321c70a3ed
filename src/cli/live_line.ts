import { escaped } from "../formats/text.ts";
import { print, whileRead } from "./command.ts";

/** Milliseconds between two lines when the output is not a terminal. */
const plainInterval = 10_000;
/** Characters in a line of a terminal that does not say how wide it is. */
const usualColumns = 80;

/** One line that is overwritten in place on a terminal; elsewhere an ordinary line every ten seconds. */
export class LiveLine {
  readonly #terminal = Deno.stdout.isTerminal();
  readonly #encoder = new TextEncoder();
  #shown = "";
  #printed = -Infinity;

  /** Replaces the line; elsewhere than on a terminal prints it if the last one was long ago. */
  update(text: string): void {
    if (!this.#terminal) {
      if (performance.now() - this.#printed < plainInterval) return;
      this.#printed = performance.now();
      print(text);
      return;
    }
    this.#shown = text;
    this.#write(`\r\x1b[K${escaped(text).slice(0, Math.max(20, columns() - 1))}`);
  }

  /** Replaces the line on a terminal only: for progress that nobody wants in a log. */
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

  /** Wipes the line. */
  clear(): void {
    if (this.#shown) this.#write("\r\x1b[K");
    this.#shown = "";
  }

  /** Leaves the line as it stands and goes to the next. */
  finish(): void {
    if (this.#shown) this.#write("\n");
    this.#shown = "";
  }

  #write(text: string): void {
    whileRead(() => void Deno.stdout.writeSync(this.#encoder.encode(text)));
  }
}

/** The terminal's width. Those of serial lines and some programs say 0; one that is not this session's may say nothing. */
function columns(): number {
  try {
    return Deno.consoleSize().columns || usualColumns;
  } catch {
    return usualColumns;
  }
}
