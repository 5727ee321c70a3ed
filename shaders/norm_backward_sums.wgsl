// shiftSum[g, c] = Σ_k partials[g, k, 0, c], scaleSum[g, c] = Σ_k partials[g, k, 1, c], in the order of k
//
// partials [groups, chunks, 2, channels]; shiftSum, scaleSum [groups, channels]: float32.

struct Shape {
  channels: u32,
  groups: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> shiftSum: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> scaleSum: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) counts: vec3u) {
  let i = id.x + id.y * counts.x * 8u;
  let row = shape.channels / 4u;
  if (i >= shape.groups * row) {
    return;
  }
  let chunks = arrayLength(&partials) / (2u * row * shape.groups);
  let first = 2u * (i / row) * chunks * row + i % row;
  var shift = vec4f();
  var scale = vec4f();
  for (var k = 0u; k < chunks; k++) {
    shift += partials[first + 2u * k * row];
    scale += partials[first + (2u * k + 1u) * row];
  }
  shiftSum[i] = shift;
  scaleSum[i] = scale;
}
