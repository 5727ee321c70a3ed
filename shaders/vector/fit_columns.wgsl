// fitted[r, c] (=|+=) c < sourceColumns ? source[r, c] : 0
//
// source [rows, sourceColumns], fitted [rows, fittedColumns]: float32. Pads rows with zeros, or cuts them.
// accumulate: add to what the result holds.

struct Shape {
  rows: u32,
  sourceColumns: u32,
  fittedColumns: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> fitted: array<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= shape.rows * shape.fittedColumns) {
    return;
  }
  let row = i / shape.fittedColumns;
  let column = i % shape.fittedColumns;
  var value = 0.0;
  if (column < shape.sourceColumns) {
    value = source[row * shape.sourceColumns + column];
  }
  if (shape.accumulate != 0u) {
    value += fitted[i];
  }
  fitted[i] = value;
}
