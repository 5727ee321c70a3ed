/** What the documents that are made from sources or results have in common. */

/** A Markdown table; numbers stand to the right if `numeric` says so of their column. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: (column: number) => boolean = () => false,
): string {
  const rule = header.map((_, column) => numeric(column) ? "---:" : "---");
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * Markdown as `deno fmt` writes it.
 * @throws {Error} if `deno fmt` fails.
 */
export async function formatMarkdown(text: string): Promise<string> {
  const formatter = new Deno.Command("deno", {
    args: ["fmt", "--ext", "md", "-"],
    cwd: new URL("../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await formatter.output();
  if (!success) throw new Error("deno fmt failed");
  return new TextDecoder().decode(stdout);
}
