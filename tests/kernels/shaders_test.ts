import assert from "node:assert/strict";
import { shaderPaths } from "../../scripts/launchers.ts";
import {
  type Copies,
  differingConstants,
  differingCopies,
  differingFunctions,
  type Exception,
} from "./shader_copies.ts";

const exceptions: readonly Exception[] = [
  {
    what: "multiplyAdd(mat4x4f, vec4f, vec4f)",
    shader: "conv2d/patch_texture.wgsl",
    reason: "not in fused steps, which Mesa 25 does not have, as its comment says",
  },
];

const products = ["conv2d/matrix.wgsl", "conv2d/staged.wgsl"];
const staged = ["conv2d/patch_staged.wgsl", "conv2d/staged.wgsl"];
const transforms = ["winograd/input.wgsl", "winograd/output_gradient.wgsl"];
const normalisations = ["norm/apply.wgsl", "norm/backward_apply.wgsl"];

const copies: readonly Copies[] = [
  { what: "struct Tile", shaders: products },
  { what: "struct Pixel", shaders: products },
  { what: "together(u32)", shaders: products },
  { what: "phasePixels(u32, u32)", shaders: products },
  { what: "pixelOf(Tile, u32, u32, u32)", shaders: products },
  { what: "struct Pair", shaders: staged },
  { what: "struct Sums", shaders: staged },
  { what: "addTo(u32, vec4f)", shaders: staged },
  { what: "struct Window", shaders: ["conv2d/forward_texture.wgsl", "conv2d/inception.wgsl"] },
  { what: "load(i32, u32)", shaders: ["conv2d/forward_texture.wgsl", "conv2d/patch_texture.wgsl"] },
  { what: "struct Channel", shaders: ["norm/apply.wgsl", "norm/backward_moments.wgsl"] },
  { what: "struct Rows", shaders: normalisations },
  { what: "rowsOf(u32, u32)", shaders: normalisations },
  { what: "texel(u32)", shaders: ["norm/backward_sums.wgsl", "norm/statistics.wgsl"] },
  { what: "valueStep(u32)", shaders: transforms },
  { what: "storeRowOfFour(Place, u32, Four)", shaders: transforms },
  { what: "storeRowOfSix(Place, u32, Six)", shaders: transforms },
];

async function allShaders(): Promise<Map<string, string>> {
  const folder = new URL("../../shaders/", import.meta.url);
  const texts = (await shaderPaths()).map(async (path) =>
    [path, await Deno.readTextFile(new URL(path, folder))] as const
  );
  return new Map(await Promise.all(texts));
}

Deno.test("copies of what the shaders share have not drifted apart", async () => {
  const shaders = await allShaders();
  assert.deepEqual(differingFunctions(shaders, exceptions), []);
  assert.deepEqual(differingCopies(shaders, copies), []);
  assert.deepEqual(differingConstants(shaders), []);
});

const first = `// A shader.

struct Shape {
  count: u32,
}

struct Span {
  first: u32,
  last: u32,
}

alias Two = array<vec4f, 2>;

const lanes = 8u;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

// Twice.
fn twice(x: vec4f) -> vec4f {
  return x + x; // a sum
}

fn scaled(
  two: Two,
  x: f32,
) -> Two {
  let sum = two[0].x + x;
  return Two(
    sum * two[0],
    twice(two[1]),
  );
}

fn spanOf(i: u32) -> Span {
  return Span(i, min(i + lanes, shape.count));
}

@compute @workgroup_size(lanes)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let two = scaled(Two(input[id.x], input[id.y]), 2.0);
}
`;

/** The same shader with different comments, parameter names, line breaks, aliases and entry point. */
const second = first
  .replace("// Twice.", "// Two times.\n//")
  .replace(" // a sum", "")
  .replace("(x: vec4f)", "(value: vec4f)")
  .replace("x + x", "value +\n    value")
  .replace("(\n  two: Two,\n  x: f32,\n)", "(pair: array<vec4f, 2>, y: f32)")
  .replace("two[0].x + x", "pair[0].x + y")
  .replace("(\n    sum * two[0],\n    twice(two[1]),\n  )", "(sum * pair[0], twice(pair[1]))")
  .replace("2.0", "3.0");

const pair = (change: (wgsl: string) => string) => new Map([["a.wgsl", first], ["b.wgsl", change(second)]]);
const asIs = (wgsl: string) => wgsl;
const spans: readonly Copies[] = ["struct Span", "spanOf(u32)"].map((what) => ({
  what,
  shaders: ["a.wgsl", "b.wgsl"],
}));

Deno.test("a function may differ from its copy in comments, layout and names of parameters alone", () => {
  const twice = "twice(vec4f) differs: a.wgsl | b.wgsl";
  const scaled = "scaled(Two, f32) differs: a.wgsl | b.wgsl";
  const changes: readonly [change: (wgsl: string) => string, expected: string[]][] = [
    [asIs, []],
    [(wgsl) => wgsl.replace("value +", "value -"), [twice]],
    [(wgsl) => wgsl.replace("pair[0].x", "pair[0].y"), [scaled]],
    [(wgsl) => wgsl.replace("(sum * pair[0], twice(pair[1]))", "(twice(pair[1]), sum * pair[0])"), [scaled]],
    // These are not copies: another type, another structure, and functions that use their shader's declarations.
    [(wgsl) => wgsl.replace("twice(value: vec4f)", "twice(value: vec4h)"), []],
    [(wgsl) => wgsl.replace("value +", "value - input[0] +"), []],
    [(wgsl) => wgsl.replace("min(i + lanes", "min(i + 1u"), []],
  ];
  for (const [change, expected] of changes) {
    assert.deepEqual(differingFunctions(pair(change), []), expected);
  }
});

Deno.test("an exception must be needed", () => {
  const exception = { what: "twice(vec4f)", shader: "b.wgsl", reason: "measured" };
  const needless = ["twice(vec4f) of b.wgsl needs no exception"];
  const find = (change: (wgsl: string) => string) => differingFunctions(pair(change), [exception]);
  assert.deepEqual(find((wgsl) => wgsl.replace("value +", "value -")), []);
  assert.deepEqual(find(asIs), needless);
  assert.deepEqual(find((wgsl) => wgsl.replace("fn twice", "fn double")), needless);
  // The exception is for one shader. The others must still be the same.
  const third = new Map([...pair((wgsl) => wgsl.replace("value +", "value -")), [
    "c.wgsl",
    first.replace("x + x", "2.0 * x"),
  ]]);
  assert.deepEqual(differingFunctions(third, [exception]), ["twice(vec4f) differs: a.wgsl | c.wgsl"]);
});

Deno.test("copies that use what their shaders declare are listed, and the same", () => {
  assert.deepEqual(differingCopies(pair(asIs), spans), []);
  const changes: readonly [from: string, to: string, expected: string][] = [
    ["min(i + lanes", "min(i + 1u + lanes", "spanOf(u32) differs: a.wgsl | b.wgsl"],
    ["last: u32", "end: u32", "struct Span differs: a.wgsl | b.wgsl"],
    ["fn spanOf", "fn spanFrom", "spanOf(u32) is not in b.wgsl"],
  ];
  for (const [from, to, expected] of changes) {
    assert.deepEqual(differingCopies(pair((wgsl) => wgsl.replace(from, to)), spans), [expected]);
  }
  assert.deepEqual(
    differingCopies(pair(asIs), [spans[0]!]),
    ["spanOf(u32) is the same in a.wgsl, b.wgsl: put it into the table"],
  );
});

Deno.test("constants of one name have one value", () => {
  assert.deepEqual(differingConstants(pair(asIs)), []);
  assert.deepEqual(
    differingConstants(pair((wgsl) => wgsl.replace("lanes = 8u", "lanes = 4u"))),
    ["const lanes differs: a.wgsl | b.wgsl"],
  );
});
