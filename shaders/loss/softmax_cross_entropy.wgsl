// losses[r] = logsumexp(logits[r]) − logits[r, labels[r]]
// correct[r] = 1 if labels[r] is the first column with the largest logit, else 0
//
// logits [rows, columns], losses [rows], correct [rows]: float32; labels [rows]: uint32. A label of `columns` or more
// gives a loss of NaN.

struct Shape {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;
@group(0) @binding(3) var<storage, read_write> correct: array<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= shape.rows) {
    return;
  }
  var largest = logits[i * shape.columns];
  var prediction = 0u;
  for (var c = 1u; c < shape.columns; c++) {
    let logit = logits[i * shape.columns + c];
    if (logit > largest) {
      largest = logit;
      prediction = c;
    }
  }
  var sum = 0.0;
  for (var c = 0u; c < shape.columns; c++) {
    sum += exp(logits[i * shape.columns + c] - largest);
  }
  let label = labels[i];
  // Made from bits that are not constants: WGSL refuses constants that are not finite.
  var nan = 0x7fc00000u;
  let loss = largest + log(sum) - logits[i * shape.columns + min(label, shape.columns - 1u)];
  losses[i] = select(bitcast<f32>(nan), loss, label < shape.columns);
  correct[i] = select(0.0, 1.0, prediction == label);
}
