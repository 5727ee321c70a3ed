/** A Markdown table; numbers stand to the right if `numeric` says so of their column. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: (column: number) => boolean = () => false,
): string {
  const rule = header.map((_, column) => numeric(column) ? "---:" : "---");
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
