// partials[k, 0, c] = mean of the k-th chunk of rows, partials[k, 1, c] = Σ (x − that mean)² over the chunk
//
// input    [rows, channels]       float32, channels a multiple of 4
// partials [chunks, 2, channels]
// rowsPerChunk: rows of one chunk; the last may have fewer.
//
// One pass, over the differences from the chunk's first row: that is a typical value, so no digits are lost to a mean that is
// large compared with the deviations.

override channels: u32 = 16u;
override rowsPerChunk: u32 = 64u;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let row = channels / 4u;
  let c = i % row;
  let chunk = i / row;
  let first = chunk * rowsPerChunk;
  let rows = arrayLength(&input) / row;
  if (first >= rows) {
    return;
  }
  let end = min(first + rowsPerChunk, rows);
  let origin = input[first * row + c];
  var sum = vec4f();
  var squares = vec4f();
  for (var r = first; r < end; r++) {
    let difference = input[r * row + c] - origin;
    sum += difference;
    squares = fma(difference, difference, squares);
  }
  let mean = sum / f32(end - first);
  partials[2u * chunk * row + c] = origin + mean;
  partials[(2u * chunk + 1u) * row + c] = squares - sum * mean;
}
