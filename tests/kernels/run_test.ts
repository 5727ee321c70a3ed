import assert from "node:assert/strict";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { compile } from "../../src/kernels/compile.ts";
import { run } from "../../src/kernels/run.ts";
import { sumPartials, type SumPartialsShape } from "../../src/kernels/reduce/sum_partials.ts";
import { testGpu } from "./harness.ts";

const { device } = await testGpu();
const shape = { partials: 2, length: 2, accumulate: true };

Deno.test("run() refuses a call without an operand, and more values than a shape has room for", async () => {
  // In JavaScript, the names of the operands are not checked.
  const kernel: Kernel<SumPartialsShape> = sumPartials;
  await assert.rejects(run(kernel, shape, { partials: [1, 2, 3, 4] }, device), {
    name: "RangeError",
    message: "sum_partials: operand sum is missing",
  });
  await assert.rejects(run(kernel, shape, { partials: [1, 2, 3, 4, 5], sum: 2 }, device), {
    name: "RangeError",
    message: "sum_partials: operand partials has 5 values; its binding has room for 4",
  });
});

Deno.test("compile() binds no kernel without an operand", () => {
  const kernel: Kernel<SumPartialsShape> = sumPartials;
  const { bind } = compile(device, kernel, shape);
  assert.throws(() => bind({}), { name: "RangeError", message: "sum_partials: operand partials is missing" });
});

Deno.test("run() starts operands of which only the number is given as NaN", async () => {
  const partials = [1, 2, 3, 4];
  const written = await run(sumPartials, { ...shape, accumulate: false }, { partials, sum: 2 }, device);
  assert.deepEqual([...written.sum], [4, 6]);
  const added = await run(sumPartials, shape, { partials, sum: 2 }, device);
  assert.deepEqual([...added.sum], [NaN, NaN]);
});
