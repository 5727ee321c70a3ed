// partials[k, j] = Σ matrix[i, j] over the k-th chunk of rows i
//
// matrix [rows, columns], partials [chunks, columns]: float32. The entry point `vectors` sums four columns at once, for
// columns that are a multiple of 4; `scalars` any number.
// rowsPerChunk: rows that one chunk sums; the last may have fewer.

override rows: u32 = 1u;
override columns: u32 = 4u;
override rowsPerChunk: u32 = 256u;

@group(0) @binding(0) var<storage, read> matrix: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(0) var<storage, read> vectorMatrix: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> vectorPartials: array<vec4f>;

@compute @workgroup_size(64)
fn scalars(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let chunk = i / columns;
  if (chunk * rowsPerChunk >= rows) {
    return;
  }
  var total = 0.0;
  for (var row = chunk * rowsPerChunk; row < min((chunk + 1u) * rowsPerChunk, rows); row++) {
    total += matrix[row * columns + i % columns];
  }
  partials[i] = total;
}

@compute @workgroup_size(64)
fn vectors(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let chunk = i / (columns / 4u);
  if (chunk * rowsPerChunk >= rows) {
    return;
  }
  var total = vec4f();
  for (var row = chunk * rowsPerChunk; row < min((chunk + 1u) * rowsPerChunk, rows); row++) {
    total += vectorMatrix[row * (columns / 4u) + i % (columns / 4u)];
  }
  vectorPartials[i] = total;
}
