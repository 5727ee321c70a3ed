// partials[k, j] = Σ matrix[i, j] over the k-th chunk of rows i
//
// matrix [rows, columns], partials [chunks, columns]: float32. The entry point `vectors` sums four columns at once, for
// columns that are a multiple of 4; `scalars` any number. `…ThroughTexture` read from a texture of format rgba32float,
// 1,024 texels wide, that holds the matrix row by row: much faster on lavapipe.
// rowsPerChunk: rows that one chunk sums; the last may have fewer.

struct Shape {
  rows: u32,
  columns: u32,
  rowsPerChunk: u32,
}

@group(0) @binding(0) var<storage, read> matrix: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(0) var<storage, read> vectorMatrix: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> vectorPartials: array<vec4f>;
@group(0) @binding(0) var matrixTexture: texture_2d<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

// The rows of a chunk, from the first to before the last.
fn rowsOf(chunk: u32) -> vec2u {
  return vec2u(chunk * shape.rowsPerChunk, min((chunk + 1u) * shape.rowsPerChunk, shape.rows));
}

@compute @workgroup_size(64)
fn scalars(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let chunk = rowsOf(i / shape.columns);
  if (chunk.x >= shape.rows) {
    return;
  }
  var total = 0.0;
  for (var row = chunk.x; row < chunk.y; row++) {
    total += matrix[row * shape.columns + i % shape.columns];
  }
  partials[i] = total;
}

// The i-th vector of the matrix in its texture.
fn texel(i: u32) -> vec4f {
  return textureLoad(matrixTexture, vec2u(i % 1024u, i / 1024u), 0);
}

@compute @workgroup_size(64)
fn scalarsThroughTexture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let chunk = rowsOf(i / shape.columns);
  if (chunk.x >= shape.rows) {
    return;
  }
  var total = 0.0;
  for (var row = chunk.x; row < chunk.y; row++) {
    let value = row * shape.columns + i % shape.columns;
    total += texel(value / 4u)[value % 4u];
  }
  partials[i] = total;
}

@compute @workgroup_size(64)
fn vectors(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let width = shape.columns / 4u;
  let chunk = rowsOf(i / width);
  if (chunk.x >= shape.rows) {
    return;
  }
  var total = vec4f();
  for (var row = chunk.x; row < chunk.y; row++) {
    total += vectorMatrix[row * width + i % width];
  }
  vectorPartials[i] = total;
}

@compute @workgroup_size(64)
fn vectorsThroughTexture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let width = shape.columns / 4u;
  let chunk = rowsOf(i / width);
  if (chunk.x >= shape.rows) {
    return;
  }
  var total = vec4f();
  for (var row = chunk.x; row < chunk.y; row++) {
    total += texel(row * width + i % width);
  }
  vectorPartials[i] = total;
}
