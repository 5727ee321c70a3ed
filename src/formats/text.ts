/** Text that a file chose, as it may stand in a line of output: printable, and short. */
export function printable(text: string): string {
  return text.slice(0, 100).replaceAll(/[^\x20-\x7e]/g, "?");
}
