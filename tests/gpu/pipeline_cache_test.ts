import assert from "node:assert/strict";
import { PipelineCache, type Program } from "../../src/gpu/pipeline_cache.ts";

/**
 * A cache on a device that makes a new object at each call. Counts what was made, and how often the cache announced it.
 */
function cacheOf() {
  const made = { shaders: 0, layouts: 0, pipelines: [] as GPUComputePipelineDescriptor[], announced: 0 };
  const device = {
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => ({ code, number: made.shaders++ }),
    createBindGroupLayout: () => ({ number: made.layouts++ }),
    createPipelineLayout: () => ({}),
    createComputePipeline: (descriptor: GPUComputePipelineDescriptor) => {
      made.pipelines.push(descriptor);
      return {};
    },
  };
  return { made, cache: new PipelineCache(device as unknown as GPUDevice, () => made.announced++) };
}

const program: Program = {
  name: "add",
  wgsl: "fn main() {}",
  entryPoint: "main",
  constants: { width: 4 },
  access: ["read", "read-write"],
  uniformBinding: 8,
};

Deno.test("programs share a pipeline if they differ in their names alone", () => {
  const { cache, made } = cacheOf();
  const first = cache.get(program);
  assert.equal(cache.get({ ...program, name: "other", constants: { width: 4 } }), first);
  assert.equal(made.pipelines.length, 1);
  assert.equal(made.announced, 1);
});

Deno.test("programs of one name have pipelines of their own if anything else differs", () => {
  const { cache, made } = cacheOf();
  const first = cache.get(program);
  const { uniformBinding: _, ...withoutUniforms } = program;
  const others: readonly Program[] = [
    { ...program, wgsl: "fn main() { }" },
    { ...program, entryPoint: "second" },
    { ...program, constants: { width: 8 } },
    { ...program, constants: { height: 4 } },
    { ...program, constants: {} },
    { ...program, access: ["texture", "read-write"] },
    { ...program, access: ["read", "read", "read-write"] },
    { ...program, uniformBinding: 7 },
    withoutUniforms,
  ];
  const found = others.map((other) => cache.get(other));
  assert.equal(new Set([first, ...found].map(({ pipeline }) => pipeline)).size, others.length + 1);
  assert.equal(made.announced, others.length + 1);
  others.forEach(({ wgsl, entryPoint, constants }, i) => {
    const { compute } = made.pipelines[i + 1]!;
    assert.deepEqual([compute.entryPoint, compute.constants], [entryPoint, constants]);
    assert.deepEqual(compute.module, { code: wgsl, number: wgsl === program.wgsl ? 0 : 1 });
    assert.equal(cache.get(others[i]!), found[i], "found again");
  });
});

Deno.test("programs with the same bindings share a layout, whatever their shaders", () => {
  const { cache, made } = cacheOf();
  const first = cache.get(program);
  assert.equal(cache.get({ ...program, wgsl: "fn other() {}", entryPoint: "other" }).layout, first.layout);
  assert.equal(made.layouts, 1);
  assert.notEqual(cache.get({ ...program, access: ["read-write", "read-write"] }).layout, first.layout);
});
