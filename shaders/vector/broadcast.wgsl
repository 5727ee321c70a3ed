// destination[i] (=|+=) factor · scalar[0]
//
// scalar [1], destination: float32, in whole vec4s. accumulate: add to what the result holds.

struct Shape {
  factor: f32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> scalar: array<f32>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&destination)) {
    return;
  }
  var value = vec4f(shape.factor * scalar[0]);
  if (shape.accumulate != 0u) {
    value += destination[i];
  }
  destination[i] = value;
}
