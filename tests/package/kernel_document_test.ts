import assert from "node:assert/strict";
import { documentPath, entriesOf, kernelDocument } from "../../scripts/kernel_document.ts";
import { kernelShapes } from "../../scripts/kernel_shapes.ts";
import { launchers } from "../../scripts/launchers.ts";
import {
  entryPoint,
  entryPointsOf,
  functionsOf,
  globalsOf,
  headerOf,
  structuresOf,
} from "../../scripts/wgsl.ts";
import { uniformBinding } from "../../src/kernels/kernel.ts";
import { withFiles } from "../temporary.ts";

Deno.test("docs/kernels.md is up to date", async () => {
  const written = await Deno.readTextFile(documentPath);
  assert(written === await kernelDocument(), "docs/kernels.md differs from the sources: ./run docs");
});

Deno.test("every kernel keeps to WebGPU's default limits, and its bindings are those of its shader", async () => {
  for (const { name, kernel } of await launchers()) {
    for (const entry of entriesOf(kernel)) {
      const { resources, invocations, workgroupBytes } = entryPoint(kernel.wgsl, entry);
      const declared = resources.map(({ access }) => access.replace("_", "-"));
      const uniform = kernel.uniforms ? ["uniform"] : [];
      assert.deepEqual(declared, [...kernel.bindings.map(({ access }) => access), ...uniform], name);
      const expected = resources.map((_, i) => i < kernel.bindings.length ? i : uniformBinding);
      assert.deepEqual(resources.map(({ binding }) => binding), expected, name);
      assert(kernel.bindings.length <= 8 && invocations <= 256 && workgroupBytes <= 16_384, name);
    }
  }
});

Deno.test("every kernel's uniforms, in all variants, are the fields of its shader's structure", async () => {
  for (const { name, kernel } of await launchers()) {
    for (const { uniforms, wgsl } of [kernel, ...Object.values(kernel.variants ?? {})]) {
      if (uniforms) assert.deepEqual(structuresOf(wgsl).get("Shape"), Object.entries(uniforms), name);
    }
  }
});

Deno.test("docs/kernels.md names every field of every kernel's shape", async () => {
  const shapes = kernelShapes();
  const written = await Deno.readTextFile(documentPath);
  for (const { name } of await launchers()) {
    const fields = shapes.get(name);
    assert(fields, `${name} has no shape`);
    const [, section = ""] = written.split(`\n### ${name}\n`);
    const [, list = ""] = /\n- Shape: ([^]*?)\n- Constants: /.exec(section) ?? [];
    const [names] = list.split("\n  - ");
    for (const field of fields) assert.match(names!, new RegExp(`\`${field.name}\\b`), name);
  }
});

Deno.test("kernelShapes() finds fields that a shape declares, extends, joins, picks and leaves out", async () => {
  const kernels = `
type Kernel<Shape> = { constants: (shape: Shape) => object };
type Kind = "x" | "y";
interface Base {
  later: number;
  /** What \`sooner\`
   * means, see {@link Kind}. */
  sooner: boolean;
}
interface Derived extends Base {
  kind: Kind;
  length?: Kind;
  sooner: true;
}
interface Splitting extends Kernel<Base> {
  splits: number;
}
export declare const declared: Splitting;
export declare const extended: Kernel<Derived>;
export declare const joined: Kernel<Base & { readonly added?: number }>;
export declare const picked: Kernel<Pick<Derived, "kind" | "later">>;
export declare const omitted: Kernel<Omit<Derived, "later"> & { added: boolean }>;
export declare const free: Kernel<unknown>;
export declare function other(): number;
`;
  const later = { name: "later", optional: false, type: "number", comment: "" };
  const sooner = {
    name: "sooner",
    optional: false,
    type: "boolean",
    comment: "What `sooner` means, see `Kind`.",
  };
  const narrowed = { name: "sooner", optional: false, type: "true", comment: "" };
  const kind = { name: "kind", optional: false, type: '"x" | "y"', comment: "" };
  const length = { name: "length", optional: true, type: '"x" | "y"', comment: "" };
  await withFiles({ "kernels.ts": new TextEncoder().encode(kernels) }, (folder) => {
    assert.deepEqual(Object.fromEntries(kernelShapes(`${folder}/kernels.ts`)), {
      declared: [later, sooner],
      extended: [later, narrowed, kind, length],
      joined: [later, sooner, { name: "added", optional: true, type: "number", comment: "" }],
      picked: [later, kind],
      omitted: [narrowed, kind, length, { name: "added", optional: false, type: "boolean", comment: "" }],
      free: [],
    });
    return Promise.resolve();
  });
});

Deno.test("entryPoint() finds what an entry point and the functions that it calls use", () => {
  const wgsl = `// First line
// second

override used: u32 = 3u;
override other: f32 = 1.0;
alias Input = vec4f;
@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@group(0) @binding(1) var<storage, read_write> elsewhere: array<f32>;
var<workgroup> sums: array<f32, 64>;

fn help() {
  sums[0] = input[used].x; // other
}

@compute @workgroup_size(8, 4)
fn main() {
  help();
  output[0] = 1.0;
}

@compute @workgroup_size(1)
fn second() {
  elsewhere[0] = other;
}
`;
  assert.equal(headerOf(wgsl), "First line\nsecond");
  assert.deepEqual(entryPoint(wgsl, "main"), {
    resources: [
      { binding: 0, access: "read", type: "array<vec4f>" },
      { binding: 1, access: "read_write", type: "array<f32>" },
    ],
    overrides: [{ name: "used", type: "u32", initial: "3u" }],
    invocations: 32,
    workgroupBytes: 256,
  });
  assert.deepEqual(entryPoint(wgsl, "second"), {
    resources: [{ binding: 1, access: "read_write", type: "array<f32>" }],
    overrides: [{ name: "other", type: "f32", initial: "1.0" }],
    invocations: 1,
    workgroupBytes: 0,
  });
  assert.throws(() => entryPoint(wgsl, "third"), /no entry point third/);
});

Deno.test("functionsOf(), structuresOf() and globalsOf() find what a shader declares", () => {
  const wgsl = `const lanes = 8u;
override width: u32 = 4u;
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var image: texture_2d<f32>;
var<workgroup> sums: array<f32, 64>;

// Not fn this() {
struct Pair {
  a: array<vec4<f32>, 2>, // b: u32
  c: u32,
}

fn add(sums: ptr<function, array<Pair, 2>>, i: u32) {
  // nothing
}

@compute @workgroup_size(lanes, 4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  const inside = 1u;
}

fn zero() -> vec4f { // of a kind
  if (true) {
    return vec4f();
  }
}
`;
  assert.deepEqual(functionsOf(wgsl), [
    {
      name: "add",
      workgroupSize: undefined,
      parameters: [["sums", "ptr<function, array<Pair, 2>>"], ["i", "u32"]],
      result: undefined,
      body: "\n\n",
    },
    {
      name: "main",
      workgroupSize: "lanes, 4",
      parameters: [["group", "vec3u"], ["lane", "u32"]],
      result: undefined,
      body: "\n  const inside = 1u;\n",
    },
    {
      name: "zero",
      workgroupSize: undefined,
      parameters: [],
      result: "vec4f",
      body: "\n  if (true) {\n    return vec4f();\n  }\n",
    },
  ]);
  assert.deepEqual(entryPointsOf(wgsl), ["main"]);
  assert.deepEqual([...structuresOf(wgsl)], [["Pair", [["a", "array<vec4<f32>, 2>"], ["c", "u32"]]]]);
  assert.deepEqual([...globalsOf(wgsl)], ["lanes", "width", "input", "image", "sums"]);
});
