import assert from "node:assert/strict";
import { openGLWarning } from "../../src/cli/adapter.ts";
import { withFiles } from "../temporary.ts";
import { runOn } from "./commands.ts";

/** Whether Deno finds an adapter if it may use only one backend. */
async function isThere(backend: string): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "Deno.exit(await navigator.gpu.requestAdapter() ? 0 : 1)"],
    env: { DENO_WEBGPU_BACKEND: backend },
    stderr: "null",
  }).output();
  return success;
}

for (const [backend, lines] of [["gl", 1], ["vulkan", 0]] as const) {
  Deno.test({
    name: `a command on ${backend} says ${
      lines === 1 ? "in one line" : "nothing of the kind"
    }: OpenGL is in use`,
    ignore: !await isThere(backend),
    async fn() {
      await withFiles({}, async (folder) => {
        const images = ["--count", "2", "--init", "noise", "--steps", "0", "--out", `${folder}/images.png`];
        const { status, output, errors } = await runOn(backend, "sample", ...images);
        assert.equal(status, 0, errors);
        assert.equal(errors.split("\n").filter((line) => line === openGLWarning).length, lines);
        assert.doesNotMatch(output, /OpenGL/);
      });
    },
  });
}
