// sum[i] = first[i] + factor · second[i]
//
// first, second, sum: float32 vectors of one length, in whole vec4s.

override factor: f32 = 1.0;

@group(0) @binding(0) var<storage, read> first: array<vec4f>;
@group(0) @binding(1) var<storage, read> second: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sum: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&sum)) {
    return;
  }
  sum[i] = fma(vec4f(factor), second[i], first[i]);
}
