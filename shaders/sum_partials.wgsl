// sum[i] (=|+=) Σ_p partials[p, i]
//
// partials [count, length], sum [length]: float32. The entry point `vectors` sums four elements at once, for lengths
// that are a multiple of 4; `scalars` any number. A workgroup takes eight of these, its invocations every eighth part of one;
// then the first row of invocations adds up the eight sums, in order. In `…ThroughTexture` an invocation adds up all parts of
// one, in their order, and reads them from a texture of format rgba32float, 1,024 texels wide, that holds them row by row:
// much faster on lavapipe.
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

const width = 8u;
const lanes = 8u;
var<workgroup> laneSums: array<vec4f, width * lanes>;

// The sum of all lanes in the first of them; all invocations of a workgroup must call it.
fn sumOfLanes(own: vec4f, local: vec3u) -> vec4f {
  laneSums[local.y * width + local.x] = own;
  workgroupBarrier();
  var total = laneSums[local.x];
  for (var lane = 1u; lane < lanes; lane++) {
    total += laneSums[lane * width + local.x];
  }
  return total;
}

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

@compute @workgroup_size(width, lanes)
fn scalars(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let i = (group.x + group.y * groups.x) * width + local.x;
  var total = 0.0;
  for (var p = local.y; p < select(0u, shape.count, i < shape.length); p += lanes) {
    total += partials[p * shape.length + i];
  }
  let all = sumOfLanes(vec4f(total), local);
  if (local.y == 0u && i < shape.length) {
    storeScalar(i, all.x);
  }
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

@compute @workgroup_size(width, lanes)
fn vectors(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let i = (group.x + group.y * groups.x) * width + local.x;
  let length = shape.length / 4u;
  var total = vec4f();
  for (var p = local.y; p < select(0u, shape.count, i < length); p += lanes) {
    total += vectorPartials[p * length + i];
  }
  let all = sumOfLanes(total, local);
  if (local.y == 0u && i < length) {
    storeVector(i, all);
  }
}

@compute @workgroup_size(64)
fn vectorsThroughTexture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let length = shape.length / 4u;
  if (i >= length) {
    return;
  }
  var total = vec4f();
  for (var p = 0u; p < shape.count; p++) {
    total += texel(p * length + i);
  }
  storeVector(i, total);
}
