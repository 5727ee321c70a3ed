import assert from "node:assert/strict";
import { run } from "../cli/commands.ts";
import { onOpenGL } from "../opengl.ts";

/** Files of kernels for GPUs, which OpenGL compiles for minutes. */
const forGpus = /conv2d_(?:forward|gradient_input|gradient_weight)|winograd_(?:weight_)?product/.source;
const [some, filter] = onOpenGL
  ? [" that OpenGL compiles soon", [`--filter=/^(?!.*(?:${forGpus})\\.ts)/`]]
  : ["", []];

Deno.test(`the examples in the kernels' doc comments${some} run, without any permission`, async () => {
  const { output, errors } = await run("test:examples", ...filter);
  // What was printed, not the status: with Mesa 22's driver the process is sometimes aborted while it ends, after all that
  // ("double free or corruption").
  assert.match(output, /^ok \| \d{2,} passed \| 0 failed/m, `${output}\n${errors}`);
});
