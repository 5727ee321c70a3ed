// sum[i] (=|+=) Σ_p partials[p, i], in the order of p
//
// partials [count, length], sum [length]: float32. The entry point `vectors` sums four elements at once, for lengths
// that are a multiple of 4; `scalars` any number. `…ThroughTexture` read the parts from a texture of format
// rgba32float, 1,024 texels wide, that holds them row by row: much faster on lavapipe.
// accumulate: add to what is there.

override accumulate: bool = false;

struct Shape {
  count: u32,
  length: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> sum: array<f32>;
@group(0) @binding(0) var<storage, read> vectorPartials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> vectorSum: array<vec4f>;
@group(0) @binding(0) var partialsTexture: texture_2d<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

// The i-th vector of the parts in their texture.
fn texel(i: u32) -> vec4f {
  return textureLoad(partialsTexture, vec2u(i % 1024u, i / 1024u), 0);
}

fn storeScalar(i: u32, total: f32) {
  if (accumulate) {
    sum[i] += total;
  } else {
    sum[i] = total;
  }
}

fn storeVector(i: u32, total: vec4f) {
  if (accumulate) {
    vectorSum[i] += total;
  } else {
    vectorSum[i] = total;
  }
}

@compute @workgroup_size(64)
fn scalars(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= shape.length) {
    return;
  }
  var total = 0.0;
  for (var p = 0u; p < shape.count; p++) {
    total += partials[p * shape.length + i];
  }
  storeScalar(i, total);
}

@compute @workgroup_size(64)
fn scalarsThroughTexture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= shape.length) {
    return;
  }
  var total = 0.0;
  for (var p = 0u; p < shape.count; p++) {
    let value = p * shape.length + i;
    total += texel(value / 4u)[value % 4u];
  }
  storeScalar(i, total);
}

@compute @workgroup_size(64)
fn vectors(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let width = shape.length / 4u;
  if (i >= width) {
    return;
  }
  var total = vec4f();
  for (var p = 0u; p < shape.count; p++) {
    total += vectorPartials[p * width + i];
  }
  storeVector(i, total);
}

@compute @workgroup_size(64)
fn vectorsThroughTexture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let width = shape.length / 4u;
  if (i >= width) {
    return;
  }
  var total = vec4f();
  for (var p = 0u; p < shape.count; p++) {
    total += texel(p * width + i);
  }
  storeVector(i, total);
}
