import assert from "node:assert/strict";
import { TuningError } from "../../../src/errors.ts";
import type { Conv2dShape } from "../../../src/kernels/conv2d/shape.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import { Context } from "../../../src/tensor/context.ts";
import { candidatesVersion } from "../../../src/tensor/operations/conv2d/candidates.ts";
import { conv2d } from "../../../src/tensor/operations/conv2d/operation.ts";
import {
  conv2dChooser,
  conv2dTable,
  type Conv2dTableEntry,
  mergeConv2dTables,
  parseConv2dTable,
} from "../../../src/tensor/operations/conv2d/table.ts";

const adapter = {
  adapterName: "an adapter",
  adapterFamily: "lavapipe",
  device: { limits: { maxStorageBufferBindingSize: 2 ** 27 } },
} as const;
const shape: Conv2dShape = {
  batch: 2,
  height: 8,
  width: 8,
  inChannels: 8,
  outChannels: 8,
  kernel: 3,
  stride: 1,
  padding: 1,
};
const entry: Conv2dTableEntry = { direction: "forward", ...shape, algorithm: "texture" };
const table = conv2dTable(adapter, [entry]);

Deno.test("a table of kernels survives being written and read", () => {
  assert.deepEqual(parseConv2dTable(JSON.stringify(table), adapter), table);
});

Deno.test("a table that does not fit is refused in one line that says why", () => {
  const withEntry = (changes: Record<string, unknown>) =>
    JSON.stringify({ ...table, choices: [{ ...entry, ...changes }] });
  const cases: [text: string, message: RegExp][] = [
    ["{", /not valid JSON/],
    ["[]", /the file is not an object/],
    ["null", /the file is not an object/],
    ['{"adapter": "an adapter"}', /must have an adapter, a version and choices/],
    [JSON.stringify({ ...table, adapter: "another" }), /chosen on "another"; this is "an adapter"/],
    [
      JSON.stringify({ ...table, version: candidatesVersion + 1 }),
      /of version \d+; these are of version \d+/,
    ],
    [JSON.stringify({ ...table, choices: [7] }), /choice 1 is not an object/],
    [withEntry({ direction: "sideways" }), /choice 1 has the direction "sideways"/],
    [withEntry({ algorithm: 3 }), /choice 1 has the algorithm 3/],
    [
      withEntry({ algorithm: "magic" }),
      /no algorithm "magic" for forward 2×8×8, 8→8.*there is patch, texture$/,
    ],
    [withEntry({ batch: undefined }), /choice 1 has the batch undefined/],
    [withEntry({ height: 1e300 }), /choice 1 has the height 1e\+300/],
    [withEntry({ width: 7.5 }), /choice 1 has the width 7\.5/],
    [withEntry({ stride: 0 }), /choice 1 has the stride 0/],
    [withEntry({ kernel: 5 }), /choice 1: .*kernel size must be 1 or 3/],
    [withEntry({ outChannels: 6 }), /choice 1: .*output channels must be a multiple of 4/],
    [withEntry({ height: 1, padding: 0 }), /choice 1: .*no output/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseConv2dTable(text, adapter), (error: Error) => {
      assert(error instanceof TuningError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    }, text);
  }
});

Deno.test("a table that names another backend, or none, is not taken for this one's", () => {
  const backends = ["Vulkan", "OpenGL", "Metal"].map((backend) => ({
    ...adapter,
    adapterName: `mesa, ${backend}`,
  }));
  for (const own of backends) {
    const text = JSON.stringify(conv2dTable(own, [entry]));
    assert.deepEqual(parseConv2dTable(text, own).choices, [entry]);
    for (const other of backends.filter((each) => each !== own)) {
      assert.throws(
        () => parseConv2dTable(text, other),
        new RegExp(`chosen on "${own.adapterName}"; this is "${other.adapterName}" \\(without the file`),
      );
    }
    const older = JSON.stringify({ ...table, adapter: "mesa" });
    assert.throws(
      () => parseConv2dTable(older, own),
      new RegExp(
        `chosen on "mesa", by a backend that the file does not name; this is "${own.adapterName}" \\(if it was`,
      ),
    );
  }
});

Deno.test("merging tables keeps the newer choice for a convolution, and those for others", () => {
  const other = { ...entry, batch: 3 };
  const merged = mergeConv2dTables(
    conv2dTable(adapter, [entry, other]),
    conv2dTable(adapter, [{ ...entry, algorithm: "patch" }, { ...entry, direction: "gradientInput" }]),
  );
  assert.deepEqual(
    merged.choices.map(({ direction, batch, algorithm }) => [direction, batch, algorithm]),
    [["forward", 2, "patch"], ["forward", 3, "texture"], ["gradientInput", 2, "texture"]],
  );
});

Deno.test("a context computes convolutions by what the table names, others by the default", async () => {
  const gpu = await Gpu.request("lavapipe");
  const context = new Context(gpu, { choose: conv2dChooser(table) });
  const kernels = (batch: number) => {
    const plan = context.capture(() => {
      const [x, weight, bias] = [
        context.empty([batch, 8, 8, 8]),
        context.empty([3, 3, 8, 8]),
        context.empty([8]),
      ];
      conv2d(x, weight, bias, { stride: 1, padding: 1 });
    });
    return plan.commands.flatMap((command) => command.kind === "dispatch" ? [command.program.name] : []);
  };
  assert.deepEqual(kernels(2), ["conv2d_forward_texture"]);
  assert.deepEqual(kernels(3), ["conv2d_patch"]);
  gpu.destroy();
});

Deno.test("a table's algorithm that is not offered is refused when it is asked for", () => {
  const choose = conv2dChooser(conv2dTable(adapter, [{ ...entry, algorithm: "magic" }]));
  assert.throws(() => choose([{ name: "patch" }], "forward", shape), /no algorithm "magic"/);
  assert.equal(choose([{ name: "patch" }], "gradientInput", shape).name, "patch");
});
