import assert from "node:assert/strict";

Deno.test("silence() keeps everything from being printed but the line of a failure", async () => {
  const child = new URL("silent_child.ts", import.meta.url).href;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["run", "--no-check", child] })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.deepEqual([text(stdout), text(stderr)], ["", "failure\n"]);
});
