import assert from "node:assert/strict";
import { run } from "../cli/commands.ts";

Deno.test("the examples in the kernels' doc comments run, without any permission", async () => {
  const { status, output, errors } = await run("test:examples");
  assert.equal(status, 0, `${output}\n${errors}`);
  assert.match(output, /^ok \| \d{2,} passed/m);
});
