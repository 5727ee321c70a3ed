// statistics[g, 0, c] = mean, statistics[g, 1, c] = 1 / √(variance + epsilon) of all rows and channels of group g, for every c
//
// partials   [groups, chunks, 2, channels]  as norm_moments leaves them
// statistics [groups, 2, channels]          float32
//
// Moments are merged two by two (Chan, Golub, LeVeque, 1979). Entry point `main`: a workgroup takes a group. Each
// invocation goes through every 64th channel of all chunks; then those of two invocations are merged until one is left.
// Entry point `alone`, many times as fast on software adapters: an invocation takes a group, and goes through all
// chunks and channels.

override channels: u32 = 16u;
override groups: u32 = 1u;
override rows: u32 = 64u;
override rowsPerChunk: u32 = 64u;
override epsilon: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> statistics: array<f32>;

override chunks = (rows + rowsPerChunk - 1u) / rowsPerChunk;
const threads = 64u;

// The mean of a number of values, and Σ (x − mean)².
struct Moments {
  mean: f32,
  squares: f32,
  count: u32,
}

var<workgroup> laneMean: array<f32, threads>;
var<workgroup> laneSquares: array<f32, threads>;
var<workgroup> laneCount: array<u32, threads>;

// At least one of the two has values.
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

fn momentsOf(group: u32, chunk: u32, c: u32) -> Moments {
  let at = 2u * (group * chunks + chunk) * channels + c;
  return Moments(partials[at], partials[at + channels], min(rowsPerChunk, rows - chunk * rowsPerChunk));
}

fn inverseDeviation(moments: Moments) -> f32 {
  return 1.0 / sqrt(moments.squares / f32(moments.count) + epsilon);
}

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroup.x + workgroup.y * workgroups.x;
  if (group >= groups) {
    return;
  }
  let count = chunks * channels;
  var moments = Moments();
  var i = lane;
  // Two at a time, so that loads do not wait for one another: compilers do not unroll this loop.
  for (; i + threads < count; i += 2u * threads) {
    let m0 = momentsOf(group, i / channels, i % channels);
    let m1 = momentsOf(group, (i + threads) / channels, (i + threads) % channels);
    moments = merge(merge(moments, m0), m1);
  }
  if (i < count) {
    moments = merge(moments, momentsOf(group, i / channels, i % channels));
  }
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    laneMean[lane] = moments.mean;
    laneSquares[lane] = moments.squares;
    laneCount[lane] = moments.count;
    workgroupBarrier();
    let other = lane + half;
    if (other < min(2u * half, count)) {
      moments = merge(moments, Moments(laneMean[other], laneSquares[other], laneCount[other]));
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    laneMean[0] = moments.mean;
    laneSquares[0] = inverseDeviation(moments);
  }
  workgroupBarrier();
  for (var c = lane; c < channels; c += threads) {
    statistics[2u * group * channels + c] = laneMean[0];
    statistics[(2u * group + 1u) * channels + c] = laneSquares[0];
  }
}

@compute @workgroup_size(8)
fn alone(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let group = id.x + id.y * workgroups.x * 8u;
  if (group >= groups) {
    return;
  }
  var moments = Moments();
  for (var chunk = 0u; chunk < chunks; chunk++) {
    for (var c = 0u; c < channels; c++) {
      moments = merge(moments, momentsOf(group, chunk, c));
    }
  }
  let inverse = inverseDeviation(moments);
  for (var c = 0u; c < channels; c++) {
    statistics[2u * group * channels + c] = moments.mean;
    statistics[(2u * group + 1u) * channels + c] = inverse;
  }
}
