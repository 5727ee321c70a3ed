import assert from "node:assert/strict";
import { inHalf, type Operand, run } from "../../src/kernels/mod.ts";
import { kernelCases } from "../browser/kernel_cases.ts";
import { testGpu } from "./harness.ts";

const rounded = (values: ArrayLike<number>) => new Float32Array(new Float16Array(values));

/** The cases of kernels that can take some operands in half precision, and the names of these operands. */
const halves = kernelCases.map((kernelCase) => ({
  ...kernelCase,
  names: kernelCase.kernel.bindings.filter(({ alias }) => alias !== undefined).map(({ name }) => name),
})).filter(({ names }) => names.length > 0);

const { device } = await testGpu();

Deno.test({
  name: "inHalf() computes the same from rounded operands, and rounds what it writes",
  ignore: !device.features.has("shader-f16"),
  async fn() {
    assert(halves.length > 50, `${halves.length} cases`);
    for (const { kernel, shape, operands, names } of halves) {
      const given = Object.fromEntries(
        Object.entries(operands).map(([name, values]): [string, Operand] =>
          names.includes(name) && typeof values !== "number" ? [name, rounded(values)] : [name, values]
        ),
      );
      const expected = await run(kernel, shape, given, device);
      const actual = await run(inHalf(kernel, names), shape, given, device);
      for (const { name, access } of kernel.bindings) {
        if (access !== "read-write") continue;
        const values = expected[name]!;
        const what = `${kernel.name} ${JSON.stringify(shape)}: ${name}`;
        assert.deepEqual(actual[name], names.includes(name) ? rounded(values) : values, what);
      }
    }
  },
});

Deno.test("inHalf() makes a variant once, and refuses operands that must be float32", () => {
  const { kernel, names } = halves[0]!;
  assert.equal(inHalf(kernel, names), inHalf(kernel, names));
  const refused = kernelCases.find(({ kernel }) => kernel.name === "matmul")!.kernel;
  assert.throws(() => inHalf(refused, ["left"]), /matmul: operand left cannot be stored in half precision/);
});
