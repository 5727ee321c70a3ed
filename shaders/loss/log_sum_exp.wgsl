// values[r] = log Σ_c exp logits[r, c], without overflow
//
// logits [rows, columns], values [rows]: float32.

struct Shape {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= shape.rows) {
    return;
  }
  var largest = logits[i * shape.columns];
  for (var c = 1u; c < shape.columns; c++) {
    largest = max(largest, logits[i * shape.columns + c]);
  }
  var sum = 0.0;
  for (var c = 0u; c < shape.columns; c++) {
    sum += exp(logits[i * shape.columns + c] - largest);
  }
  values[i] = largest + log(sum);
}
