// statistics[g, 0, c] = mean, statistics[g, 1, c] = 1 / √(variance + epsilon) of all rows and channels of group g, for every c
//
// partials   [groups, chunks, 2, channels]  as norm_moments leaves them
// statistics [groups, 2, channels]          float32
//
// Chunks and channels are merged one by one (Chan, Golub, LeVeque, 1979).

override channels: u32 = 16u;
override groups: u32 = 1u;
override rows: u32 = 64u;
override rowsPerChunk: u32 = 64u;
override epsilon: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> statistics: array<f32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) counts: vec3u) {
  let group = id.x + id.y * counts.x * 8u;
  if (group >= groups) {
    return;
  }
  let chunks = (rows + rowsPerChunk - 1u) / rowsPerChunk;
  var mean = 0.0;
  var squares = 0.0;
  var count = 0u;
  for (var chunk = 0u; chunk < chunks; chunk++) {
    let added = min(rowsPerChunk, rows - chunk * rowsPerChunk);
    let first = 2u * (group * chunks + chunk) * channels;
    for (var c = 0u; c < channels; c++) {
      let total = count + added;
      let difference = partials[first + c] - mean;
      mean += difference * (f32(added) / f32(total));
      squares += partials[first + channels + c] + difference * difference * (f32(count) * (f32(added) / f32(total)));
      count = total;
    }
  }
  let inverseDeviation = 1.0 / sqrt(squares / f32(count) + epsilon);
  for (var c = 0u; c < channels; c++) {
    statistics[2u * group * channels + c] = mean;
    statistics[(2u * group + 1u) * channels + c] = inverseDeviation;
  }
}
