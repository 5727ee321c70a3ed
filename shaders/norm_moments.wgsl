// partials[g, k, 0, c] = mean of the k-th chunk of group g's rows, partials[g, k, 1, c] = Σ (x − that mean)² over the chunk
//
// input    [groups, rows, channels]       float32, channels a multiple of 4
// partials [groups, chunks, 2, channels]
// rowsPerGroup: rows of a group; 0 if there is one group only, whose rows follow from the input's length.
// rowsPerChunk: rows of one chunk; the last of a group may have fewer.
//
// One pass, over the differences from the chunk's first row: that is a typical value, so no digits are lost to a mean that is
// large compared with the deviations.

override channels: u32 = 16u;
override rowsPerGroup: u32 = 0u;
override rowsPerChunk: u32 = 64u;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let row = channels / 4u;
  let c = i % row;
  let chunk = i / row;
  let allRows = arrayLength(&input) / row;
  let rows = select(rowsPerGroup, allRows, rowsPerGroup == 0u);
  let chunksPerGroup = (rows + rowsPerChunk - 1u) / rowsPerChunk;
  let start = chunk / chunksPerGroup * rows;
  let first = start + chunk % chunksPerGroup * rowsPerChunk;
  if (first >= allRows) {
    return;
  }
  let end = min(first + rowsPerChunk, start + rows);
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
