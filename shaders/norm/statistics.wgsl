// From the moments of chunks, with variance[g, c] = Σ (x − mean)² / rows over the rows of group g:
//
// statistics[g, 0, c] = mean, statistics[g, 1, c] = 1 / √(variance + epsilon)                    (entry point `main`)
// the same, and for the groups in their order                                                    (`andRunning`)
//   running[0, c] ← (1 − momentum)·running[0, c] + momentum·mean
//   running[1, c] ← (1 − momentum)·running[1, c] + momentum·Σ (x − mean)² / (rows − 1)
// for one group location[c] = −mean, scale[c] = 1 / (√(Σ (x − mean)² / (rows − 1)) + epsilon)    (`actNorm`)
//
// partials   [groups, chunks, 2, channels]  as norm_moments leaves them
// statistics [groups, 2, channels]; running [2, channels]; location, scale [channels]: float32
//
// Chunks are merged by the formula of Chan, Golub and LeVeque (1979). In `main`, `andRunning` and `actNorm` a workgroup
// takes eight vectors of channels; its invocations merge every eighth chunk of one, and then these eight in order.
// Lavapipe uses `…ThroughTextures`: an invocation merges all chunks of a vector, in order, and reads them from a
// texture of format rgba32float, 1,024 texels wide, that holds them row by row.

override epsilon: f32 = 1e-5;
override momentum: f32 = 0.9;

struct Shape {
  channels: u32,
  groups: u32,
  rows: u32,
  rowsPerChunk: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(0) var partialsTexture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> running: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> location: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> scale: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

const vectors = 8u;
const lanes = 8u;

// The mean of a number of rows, and Σ (x − mean)².
struct Moments {
  mean: vec4f,
  squares: vec4f,
  count: u32,
}

var<workgroup> laneMean: array<vec4f, vectors * lanes>;
var<workgroup> laneSquares: array<vec4f, vectors * lanes>;
var<workgroup> laneCount: array<u32, vectors * lanes>;

fn ofLane(i: u32) -> Moments {
  return Moments(laneMean[i], laneSquares[i], laneCount[i]);
}

fn merge(a: Moments, b: Moments) -> Moments {
  let total = a.count + b.count;
  let difference = b.mean - a.mean;
  let share = f32(b.count) / f32(total);
  return Moments(
    a.mean + difference * share,
    a.squares + (b.squares + difference * difference * (f32(a.count) * share)),
    total,
  );
}

fn chunkCount() -> u32 {
  return (shape.rows + shape.rowsPerChunk - 1u) / shape.rowsPerChunk;
}

// Index of the mean of a chunk of a group. The squares follow one row later.
fn chunkAt(group: u32, chunk: u32, c: u32) -> u32 {
  return 2u * (group * chunkCount() + chunk) * (shape.channels / 4u) + c;
}

fn rowsOf(chunk: u32) -> u32 {
  return min(shape.rowsPerChunk, shape.rows - chunk * shape.rowsPerChunk);
}

// The i-th vector of the chunks' moments in their texture.
fn texel(i: u32) -> vec4f {
  return textureLoad(partialsTexture, vec2u(i % 1024u, i / 1024u), 0);
}

fn texelsOf(group: u32, chunk: u32, c: u32) -> Moments {
  let at = chunkAt(group, chunk, c);
  return Moments(texel(at), texel(at + shape.channels / 4u), rowsOf(chunk));
}

fn merged(group: u32, c: u32) -> Moments {
  var moments = texelsOf(group, 0u, c);
  for (var chunk = 1u; chunk < chunkCount(); chunk++) {
    moments = merge(moments, texelsOf(group, chunk, c));
  }
  return moments;
}

// The same, where there may be nothing to merge with yet.
fn mergeNext(a: Moments, b: Moments) -> Moments {
  if (a.count == 0u) {
    return b;
  }
  return merge(a, b);
}

// The result of `merged`, computed by a workgroup. All of its invocations must call this.
fn mergedTogether(group: u32, c: u32, local: vec3u) -> Moments {
  let row = shape.channels / 4u;
  let chunks = select(0u, chunkCount(), c < row);
  let step = 2u * lanes * row;
  var moments = Moments();
  var chunk = local.y;
  var at = chunkAt(group, chunk, c);
  // Four at a time, so that loads do not wait for one another: compilers do not unroll this loop.
  for (; chunk + 3u * lanes < chunks; chunk += 4u * lanes) {
    let m0 = Moments(partials[at], partials[at + row], rowsOf(chunk));
    let m1 = Moments(partials[at + step], partials[at + step + row], rowsOf(chunk + lanes));
    let m2 = Moments(partials[at + 2u * step], partials[at + 2u * step + row], rowsOf(chunk + 2u * lanes));
    let m3 = Moments(partials[at + 3u * step], partials[at + 3u * step + row], rowsOf(chunk + 3u * lanes));
    moments = merge(merge(merge(mergeNext(moments, m0), m1), m2), m3);
    at += 4u * step;
  }
  for (; chunk < chunks; chunk += lanes) {
    moments = mergeNext(moments, Moments(partials[at], partials[at + row], rowsOf(chunk)));
    at += step;
  }
  let own = local.y * vectors + local.x;
  laneMean[own] = moments.mean;
  laneSquares[own] = moments.squares;
  laneCount[own] = moments.count;
  workgroupBarrier();
  moments = ofLane(local.x);
  for (var lane = 1u; lane < min(lanes, chunkCount()); lane++) {
    moments = merge(moments, ofLane(lane * vectors + local.x));
  }
  workgroupBarrier();
  return moments;
}

fn store(group: u32, c: u32, moments: Moments) {
  let row = shape.channels / 4u;
  statistics[2u * group * row + c] = moments.mean;
  statistics[(2u * group + 1u) * row + c] = 1.0 / sqrt(moments.squares / f32(shape.rows) + epsilon);
}

fn storeActNorm(c: u32, moments: Moments) {
  location[c] = -moments.mean;
  scale[c] = 1.0 / (sqrt(moments.squares / f32(shape.rows - 1u)) + epsilon);
}

fn nextRunning(before: array<vec4f, 2>, moments: Moments) -> array<vec4f, 2> {
  return array<vec4f, 2>(
    (1.0 - momentum) * before[0] + momentum * moments.mean,
    (1.0 - momentum) * before[1] + momentum * (moments.squares / f32(shape.rows - 1u)),
  );
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
  let c = i % tiles * vectors + local.x;
  let moments = mergedTogether(i / tiles, c, local);
  if (local.y == 0u && c < row && i / tiles < shape.groups) {
    store(i / tiles, c, moments);
  }
}

@compute @workgroup_size(vectors, lanes)
fn andRunning(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = shape.channels / 4u;
  let c = workgroup.x * vectors + local.x;
  let stores = local.y == 0u && c < row;
  var average = array<vec4f, 2>(running[min(c, row - 1u)], running[row + min(c, row - 1u)]);
  for (var group = 0u; group < shape.groups; group++) {
    let moments = mergedTogether(group, c, local);
    if (stores) {
      store(group, c, moments);
    }
    average = nextRunning(average, moments);
  }
  if (stores) {
    running[c] = average[0];
    running[row + c] = average[1];
  }
}

@compute @workgroup_size(vectors, lanes)
fn actNorm(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let c = workgroup.x * vectors + local.x;
  let moments = mergedTogether(0u, c, local);
  if (local.y == 0u && c < shape.channels / 4u) {
    storeActNorm(c, moments);
  }
}

@compute @workgroup_size(8)
fn mainThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) counts: vec3u) {
  let i = id.x + id.y * counts.x * 8u;
  let row = shape.channels / 4u;
  if (i < shape.groups * row) {
    store(i / row, i % row, merged(i / row, i % row));
  }
}

@compute @workgroup_size(8)
fn andRunningThroughTextures(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let row = shape.channels / 4u;
  if (c >= row) {
    return;
  }
  var average = array<vec4f, 2>(running[c], running[row + c]);
  for (var group = 0u; group < shape.groups; group++) {
    let moments = merged(group, c);
    store(group, c, moments);
    average = nextRunning(average, moments);
  }
  running[c] = average[0];
  running[row + c] = average[1];
}

@compute @workgroup_size(8)
fn actNormThroughTextures(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < shape.channels / 4u) {
    storeActNorm(id.x, merged(0u, id.x));
  }
}
