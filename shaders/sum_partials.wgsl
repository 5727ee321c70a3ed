// sum[i] (=|+=) Σ_p partials[p, i], in the order of p
//
// partials [count, length], sum [length]: float32.
// accumulate: add to what is there.

override count: u32 = 1u;
override length: u32 = 1u;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> sum: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= length) {
    return;
  }
  var total = 0.0;
  for (var p = 0u; p < count; p++) {
    total += partials[p * length + i];
  }
  if (accumulate) {
    total += sum[i];
  }
  sum[i] = total;
}
