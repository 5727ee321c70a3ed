// values[r] = logits[r, labels[r]]                                        (entry point `forward`)
// logitsGradient[r, c] (=|+=) (c = labels[r] ? valueGradient[r] : 0)      (entry point `backward`)
//
// logits, logitsGradient [rows, columns], values, valueGradient [rows]: float32; labels [rows]: uint32, below `columns`.
// accumulate: add to what the result holds.

override rows: u32 = 1u;
override columns: u32 = 10u;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(1) var<storage, read> valueGradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> logitsGradient: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < rows) {
    values[i] = logits[i * columns + min(labels[i], columns - 1u)];
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= rows * columns) {
    return;
  }
  let row = i / columns;
  var gradient = select(0.0, valueGradient[row], i % columns == labels[row]);
  if (accumulate) {
    gradient += logitsGradient[i];
  }
  logitsGradient[i] = gradient;
}
