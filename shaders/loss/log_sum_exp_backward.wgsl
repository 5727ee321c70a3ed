// logitsGradient[r, c] (=|+=) valueGradient[r] · exp(logits[r, c] − values[r])
//
// logits, logitsGradient [rows, columns]; values (as log_sum_exp leaves them), valueGradient [rows]: float32.
// accumulate: add to what the result holds.

override rows: u32 = 1u;
override columns: u32 = 10u;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> valueGradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> logitsGradient: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= rows * columns) {
    return;
  }
  var gradient = valueGradient[i / columns] * exp(logits[i] - values[i / columns]);
  if (accumulate) {
    gradient += logitsGradient[i];
  }
  logitsGradient[i] = gradient;
}
