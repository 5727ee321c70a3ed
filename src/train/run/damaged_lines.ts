/** Says how many lines of `metrics.jsonl` are missing from curves; at least one. */
export function damagedText(lines: number): string {
  const [noun, verb] = lines === 1 ? ["line", "is"] : ["lines", "are"];
  return `${lines.toLocaleString("en")} ${noun} of metrics.jsonl could not be read and ${verb} left out.`;
}
