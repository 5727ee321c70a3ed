/** Untrusted JSON: depth and number of values are limited, and no name may occur twice. */

/** Containers inside containers. */
const deepest = 8;

/** Text that is not JSON, or has more of it than is read. */
export class JsonError extends Error {
  override name = "JsonError";
}

/**
 * Reads a JSON object (RFC 8259). In nested objects names have JavaScript's order.
 * @param mostValues the most numbers, texts and containers that are read
 * @returns its values by name, in the order of the text
 * @throws {JsonError} if it is not an object, is damaged, too deep or too large, or has a name twice.
 */
export function parseJsonObject(text: string, mostValues: number): Map<string, unknown> {
  return new Parser(text, mostValues).run();
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const words: readonly (readonly [string, boolean | null])[] = [["true", true], ["false", false], [
  "null",
  null,
]];

class Parser {
  readonly #text: string;
  #at = 0;
  #left: number;

  constructor(text: string, mostValues: number) {
    this.#text = text;
    this.#left = mostValues;
  }

  run(): Map<string, unknown> {
    this.#space();
    if (this.#text[this.#at] !== "{") throw new JsonError("is not a JSON object");
    const entries = this.#entries(0);
    this.#space();
    if (this.#at !== this.#text.length) throw this.#damaged();
    return entries;
  }

  #value(depth: number): unknown {
    if (--this.#left < 0) throw new JsonError("has more values than any model needs");
    if (depth > deepest) throw new JsonError(`nests deeper than ${deepest} levels`);
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return Object.fromEntries(this.#entries(depth));
      case "[":
        return this.#list(depth);
      case '"':
        return this.#string();
      default:
        return this.#word();
    }
  }

  #entries(depth: number): Map<string, unknown> {
    const entries = new Map<string, unknown>();
    this.#items("}", () => {
      const name = this.#string();
      if (entries.has(name)) throw new JsonError(`names ${JSON.stringify(name.slice(0, 80))} twice`);
      this.#space();
      this.#take(":");
      entries.set(name, this.#value(depth + 1));
    });
    return entries;
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = [];
    this.#items("]", () => list.push(this.#value(depth + 1)));
    return list;
  }

  /** What stands between an opening bracket and the closing one, separated by commas. */
  #items(end: string, item: () => void): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === end) {
      this.#at++;
      return;
    }
    for (;;) {
      this.#space();
      item();
      this.#space();
      if (this.#text[this.#at] === end) break;
      this.#take(",");
    }
    this.#at++;
  }

  #string(): string {
    const start = this.#at;
    this.#take('"');
    let escaped = false;
    for (;; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        this.#at++;
      } else if (!(code >= 0x20)) throw this.#damaged();
    }
    this.#at++;
    if (!escaped) return this.#text.slice(start + 1, this.#at - 1);
    try {
      return JSON.parse(this.#text.slice(start, this.#at));
    } catch {
      throw this.#damaged();
    }
  }

  #word(): number | boolean | null {
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    numberPattern.lastIndex = this.#at;
    const [digits] = numberPattern.exec(this.#text) ?? [];
    if (digits === undefined) throw this.#damaged();
    this.#at += digits.length;
    return Number(digits);
  }

  #space(): void {
    while (" \t\n\r".includes(this.#text[this.#at] || "-")) this.#at++;
  }

  #take(character: string): void {
    if (this.#text[this.#at++] !== character) throw this.#damaged();
  }

  #damaged(): JsonError {
    return new JsonError("is not valid JSON in UTF-8");
  }
}
