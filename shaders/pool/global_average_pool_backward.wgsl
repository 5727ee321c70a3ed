// inputGradient[n, p, c] (=|+=) 1/pixels · outputGradient[n, c]
//
// inputGradient [N, pixels, channels], outputGradient [N, channels]: float32, channels a multiple of 4.
// accumulate: add to what the result holds.

override pixels: u32 = 64u;
override channels: u32 = 16u;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> inputGradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&inputGradient)) {
    return;
  }
  let row = channels / 4u;
  let gradient = outputGradient[i / (row * pixels) * row + i % row] / f32(pixels);
  if (accumulate) {
    inputGradient[i] += gradient;
  } else {
    inputGradient[i] = gradient;
  }
}
