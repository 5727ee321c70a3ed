// fitted[r, c] (=|+=) c < sourceColumns ? source[r, c] : 0
//
// source [rows, sourceColumns], fitted [rows, fittedColumns]: float32. Pads rows with zeros, or cuts them off.
// accumulate: add to what is there.

override rows: u32 = 1u;
override sourceColumns: u32 = 3u;
override fittedColumns: u32 = 4u;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> fitted: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= rows * fittedColumns) {
    return;
  }
  let row = i / fittedColumns;
  let column = i % fittedColumns;
  var value = 0.0;
  if (column < sourceColumns) {
    value = source[row * sourceColumns + column];
  }
  if (accumulate) {
    value += fitted[i];
  }
  fitted[i] = value;
}
