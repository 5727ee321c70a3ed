/** What a terminal obeys, what turns the direction of text, ends a line, or stands for no character. */
export const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu;

/** Characters of a text that a message shows. */
const mostShown = 100;

/** Text that a file chose, as it may stand in a line of output: short, and without what a terminal would obey. */
export function printable(text: string): string {
  const shown = escaped(text.slice(0, mostShown));
  return text.length > mostShown ? `${shown}…` : shown;
}

/** Text with characters that are not printed as their codes, such as `\x1b`. */
export function escaped(text: string): string {
  return text.replaceAll(unprintable, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
  });
}

/** The same of several lines. */
export function escapedLines(text: string): string {
  return text.split("\n").map(escaped).join("\n");
}
