import { escaped } from "../errors.ts";

export { escaped, unprintable } from "../errors.ts";

/** Most characters of a text in a message. */
const mostShown = 100;

/** Text that a file chose, made fit for a line of output: short, and without characters that a terminal would obey. */
export function printable(text: string): string {
  const shown = escaped(text.slice(0, mostShown));
  return text.length > mostShown ? `${shown}…` : shown;
}

/** {@link escaped} for text of several lines. */
export function escapedLines(text: string): string {
  return text.split("\n").map(escaped).join("\n");
}
