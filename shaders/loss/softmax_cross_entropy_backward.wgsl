// logitsGradient[r, c] (=|+=) lossGradient[r] · (softmax(logits[r])[c] − (c = labels[r] ? 1 : 0))
//
// logits, logitsGradient [rows, columns], lossGradient [rows]: float32; labels [rows]: uint32.
// accumulate: add to what the result holds. An invocation computes one row.

override accumulate: bool = false;

struct Shape {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> lossGradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> logitsGradient: array<f32>;
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
  for (var c = 0u; c < shape.columns; c++) {
    let probability = exp(logits[i * shape.columns + c] - largest) / sum;
    var gradient = lossGradient[i] * (probability - select(0.0, 1.0, c == labels[i]));
    if (accumulate) {
      gradient += logitsGradient[i * shape.columns + c];
    }
    logitsGradient[i * shape.columns + c] = gradient;
  }
}
