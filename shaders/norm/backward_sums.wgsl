// shiftSum[g, c] = Σ_k partials[g, k, 0, c], scaleSum[g, c] = Σ_k partials[g, k, 1, c]
//
// partials [groups, chunks, 2, channels]; shiftSum, scaleSum [groups, channels]: float32.
//
// Entry points as in norm_moments: `main`, where a workgroup takes eight vectors of channels and its invocations every
// eighth chunk, or `throughTextures`, where an invocation adds all chunks of a vector, reading from a texture.

struct Shape {
  channels: u32,
  groups: u32,
  chunks: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(0) var partialsTexture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> shiftSum: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> scaleSum: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

const vectors = 8u;
const lanes = 8u;

struct Sums {
  shift: vec4f,
  scale: vec4f,
}

var<workgroup> laneShift: array<vec4f, vectors * lanes>;
var<workgroup> laneScale: array<vec4f, vectors * lanes>;

// The i-th vector of the parts in their texture, which is 1,024 texels wide.
fn texel(i: u32) -> vec4f {
  return textureLoad(partialsTexture, vec2u(i % 1024u, i / 1024u), 0);
}

@compute @workgroup_size(vectors, lanes)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = shape.channels / 4u;
  let tiles = (row + vectors - 1u) / vectors;
  let i = workgroup.x + workgroup.y * workgroups.x;
  let group = i / tiles;
  let c = i % tiles * vectors + local.x;
  let chunks = select(0u, shape.chunks, c < row);
  let step = 2u * lanes * row;
  var sums = Sums();
  var k = local.y;
  var at = 2u * (group * shape.chunks + k) * row + c;
  // Four at a time, so that loads do not wait for one another: compilers do not unroll this loop.
  for (; k + 3u * lanes < chunks; k += 4u * lanes) {
    let shift0 = partials[at];
    let shift1 = partials[at + step];
    let shift2 = partials[at + 2u * step];
    let shift3 = partials[at + 3u * step];
    let scale0 = partials[at + row];
    let scale1 = partials[at + row + step];
    let scale2 = partials[at + row + 2u * step];
    let scale3 = partials[at + row + 3u * step];
    sums = Sums(
      sums.shift + shift0 + shift1 + shift2 + shift3,
      sums.scale + scale0 + scale1 + scale2 + scale3,
    );
    at += 4u * step;
  }
  for (; k < chunks; k += lanes) {
    sums = Sums(sums.shift + partials[at], sums.scale + partials[at + row]);
    at += step;
  }
  laneShift[local.y * vectors + local.x] = sums.shift;
  laneScale[local.y * vectors + local.x] = sums.scale;
  workgroupBarrier();
  if (local.y > 0u || c >= row || group >= shape.groups) {
    return;
  }
  for (var lane = 1u; lane < lanes; lane++) {
    let other = lane * vectors + local.x;
    sums = Sums(sums.shift + laneShift[other], sums.scale + laneScale[other]);
  }
  shiftSum[group * row + c] = sums.shift;
  scaleSum[group * row + c] = sums.scale;
}

@compute @workgroup_size(8)
fn throughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.x + id.y * workgroups.x * 8u;
  let row = shape.channels / 4u;
  if (i >= shape.groups * row) {
    return;
  }
  let first = 2u * (i / row) * shape.chunks * row + i % row;
  var sums = Sums();
  for (var k = 0u; k < shape.chunks; k++) {
    let at = first + 2u * k * row;
    sums = Sums(sums.shift + texel(at), sums.scale + texel(at + row));
  }
  shiftSum[i] = sums.shift;
  scaleSum[i] = sums.scale;
}
