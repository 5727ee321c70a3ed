// destination[i] += factor · source[i]
//
// source, destination: float32 vectors of one length, in whole vec4s.

struct Shape {
  factor: f32,
}

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&destination)) {
    return;
  }
  destination[i] = fma(vec4f(shape.factor), source[i], destination[i]);
}
