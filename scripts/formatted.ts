/** A Markdown text as `deno fmt` writes it. */
export async function formatted(markdown: string): Promise<string> {
  const formatter = new Deno.Command("deno", {
    args: ["fmt", "--ext", "md", "-"],
    cwd: new URL("../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  const { success, stdout } = await formatter.output();
  if (!success) throw new Error("deno fmt failed");
  return new TextDecoder().decode(stdout);
}
