// statistics[0, c] = mean, statistics[1, c] = 1 / √(variance + epsilon) of all rows, variance = Σ (x − mean)² / rows
// running[0, c] ← (1 − momentum)·running[0, c] + momentum·mean
// running[1, c] ← (1 − momentum)·running[1, c] + momentum·Σ (x − mean)² / (rows − 1)     if updateRunning
//
// partials   [chunks, 2, channels]  as batch_norm_moments leaves them
// running    [2, channels]
// statistics [2, channels]
//
// Chunks are merged one by one (Chan, Golub, LeVeque, 1979).

override channels: u32 = 16u;
override rows: u32 = 64u;
override rowsPerChunk: u32 = 64u;
override epsilon: f32 = 1e-5;
override momentum: f32 = 0.9;
override updateRunning: bool = true;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> running: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = channels / 4u;
  let c = id.x;
  if (c >= row) {
    return;
  }
  var mean = partials[c];
  var squares = partials[row + c];
  var count = min(rowsPerChunk, rows);
  for (var chunk = 1u; count < rows; chunk++) {
    let added = min(rowsPerChunk, rows - count);
    let total = count + added;
    let difference = partials[2u * chunk * row + c] - mean;
    mean += difference * (f32(added) / f32(total));
    squares += partials[(2u * chunk + 1u) * row + c] +
      difference * difference * (f32(count) * (f32(added) / f32(total)));
    count = total;
  }
  statistics[c] = mean;
  statistics[row + c] = 1.0 / sqrt(squares / f32(rows) + epsilon);
  if (updateRunning) {
    running[c] = (1.0 - momentum) * running[c] + momentum * mean;
    running[row + c] = (1.0 - momentum) * running[row + c] + momentum * (squares / f32(rows - 1u));
  }
}
