// sum[i] = first[i] + factor · second[i]
//
// first, second, sum: float32 vectors of one length, in whole vec4s.
//
// Entry point `main`; or `throughTextures`, which reads from textures of format rgba32float, 1,024 texels wide, that hold the
// operands row by row: much faster on software adapters.

struct Shape {
  factor: f32,
}

// vec4h in variants in half precision.
alias First = vec4f;
alias Second = vec4f;
alias Sum = vec4f;

@group(0) @binding(0) var<storage, read> first: array<First>;
@group(0) @binding(1) var<storage, read> second: array<Second>;
@group(0) @binding(0) var firstTexture: texture_2d<f32>;
@group(0) @binding(1) var secondTexture: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> sum: array<Sum>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&sum)) {
    return;
  }
  sum[i] = Sum(fma(vec4f(shape.factor), vec4f(second[i]), vec4f(first[i])));
}

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

@compute @workgroup_size(64)
fn throughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&sum)) {
    return;
  }
  sum[i] = Sum(fma(vec4f(shape.factor), texel(secondTexture, i), texel(firstTexture, i)));
}
