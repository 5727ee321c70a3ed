import assert from "node:assert/strict";
import { run } from "../cli/commands.ts";
import { kernelsForGpus, onOpenGL } from "../opengl.ts";

const slow = kernelsForGpus.map((name) => `src/kernels/${name}.ts`);
const [some, ignore] = onOpenGL ? [" that OpenGL compiles soon", [`--ignore=${slow.join()}`]] : ["", []];

Deno.test(`the examples in the kernels' doc comments${some} run, without any permission`, async () => {
  const { output, errors } = await run("test:examples", ...ignore);
  // What was printed, not the status: with Mesa 22's driver the process is sometimes aborted while it ends, after all that
  // ("double free or corruption").
  assert.match(output, /^ok \| \d{2,} passed \| 0 failed/m, `${output}\n${errors}`);
});
