// destination[i] (=|+=) factor · scalar[0]
//
// scalar [1], destination: float32, in whole vec4s. accumulate: add to what is there.

override factor: f32 = 1.0;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> scalar: array<f32>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&destination)) {
    return;
  }
  let value = vec4f(factor * scalar[0]);
  if (accumulate) {
    destination[i] += value;
  } else {
    destination[i] = value;
  }
}
