import { escaped } from "../errors.ts";

export { escaped, unprintable } from "../errors.ts";

/** Characters of a text that a message shows. */
const mostShown = 100;

/** Text that a file chose, as it may stand in a line of output: short, and without what a terminal would obey. */
export function printable(text: string): string {
  const shown = escaped(text.slice(0, mostShown));
  return text.length > mostShown ? `${shown}…` : shown;
}

/** {@link escaped} for text of several lines. */
export function escapedLines(text: string): string {
  return text.split("\n").map(escaped).join("\n");
}
