import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { run } from "../cli/commands.ts";
import { kernelsForGpus, onOpenGL } from "../opengl.ts";

const slow = kernelsForGpus.map((name) => `src/kernels/${name}.ts`);
const [some, ignore] = onOpenGL ? [" that OpenGL compiles soon", [`--ignore=${slow.join()}`]] : ["", []];

Deno.test(`the examples in the kernels' doc comments${some} run, without any permission`, async () => {
  const { output, errors } = await run("test:examples", ...ignore);
  // This checks the output, not the status. With Mesa 22's driver the process sometimes aborts while it exits, after
  // all tests ("double free or corruption").
  assert.match(output, /^ok \| \d{2,} passed \| 0 failed/m, `${output}\n${errors}`);
});

Deno.test("the programs in docs/embedding.md run as they stand", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--doc", "--lock=all.lock", "--no-prompt", "--allow-read=data", "docs/embedding.md"],
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: { NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stdout);
  assert.match(output, /^ok \| 2 passed \| 0 failed/m, `${output}\n${new TextDecoder().decode(stderr)}`);
  const [, before, after] = /mean log density (\S+) → (\S+)/.exec(output) ?? [];
  assert(Number(after) > Number(before), output);
  assert.match(output, /on the host's values: 11 12 13 14/);
});
