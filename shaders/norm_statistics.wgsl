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
// Chunks are merged one by one (Chan, Golub, LeVeque, 1979).

override epsilon: f32 = 1e-5;
override momentum: f32 = 0.9;

struct Shape {
  channels: u32,
  groups: u32,
  rows: u32,
  rowsPerChunk: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> running: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> location: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> scale: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

struct Moments {
  mean: vec4f,
  // Σ (x − mean)²
  squares: vec4f,
}

fn merge(group: u32, c: u32) -> Moments {
  let row = shape.channels / 4u;
  let chunks = (shape.rows + shape.rowsPerChunk - 1u) / shape.rowsPerChunk;
  let first = 2u * group * chunks * row + c;
  var mean = partials[first];
  var squares = partials[first + row];
  var count = min(shape.rowsPerChunk, shape.rows);
  for (var chunk = 1u; chunk < chunks; chunk++) {
    let added = min(shape.rowsPerChunk, shape.rows - count);
    let total = count + added;
    let at = first + 2u * chunk * row;
    let difference = partials[at] - mean;
    mean += difference * (f32(added) / f32(total));
    squares += partials[at + row] + difference * difference * (f32(count) * (f32(added) / f32(total)));
    count = total;
  }
  return Moments(mean, squares);
}

fn store(group: u32, c: u32, moments: Moments) {
  let row = shape.channels / 4u;
  statistics[2u * group * row + c] = moments.mean;
  statistics[(2u * group + 1u) * row + c] = 1.0 / sqrt(moments.squares / f32(shape.rows) + epsilon);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) counts: vec3u) {
  let i = id.x + id.y * counts.x * 8u;
  let row = shape.channels / 4u;
  if (i < shape.groups * row) {
    store(i / row, i % row, merge(i / row, i % row));
  }
}

@compute @workgroup_size(8)
fn andRunning(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let row = shape.channels / 4u;
  if (c >= row) {
    return;
  }
  var mean = running[c];
  var variance = running[row + c];
  for (var group = 0u; group < shape.groups; group++) {
    let moments = merge(group, c);
    store(group, c, moments);
    mean = (1.0 - momentum) * mean + momentum * moments.mean;
    variance = (1.0 - momentum) * variance + momentum * (moments.squares / f32(shape.rows - 1u));
  }
  running[c] = mean;
  running[row + c] = variance;
}

@compute @workgroup_size(8)
fn actNorm(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.channels / 4u) {
    return;
  }
  let moments = merge(0u, id.x);
  location[id.x] = -moments.mean;
  scale[id.x] = 1.0 / (sqrt(moments.squares / f32(shape.rows - 1u)) + epsilon);
}
