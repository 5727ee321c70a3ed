// output[n, c] = 1/pixels · Σ_p input[n, p, c]
//
// input [N, pixels, channels], output [N, channels]: float32, channels a multiple of 4.

override pixels: u32 = 64u;
override channels: u32 = 16u;

// vec4h in variants in half precision.
alias Input = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&output)) {
    return;
  }
  let row = channels / 4u;
  var sum = vec4f();
  for (var p = 0u; p < pixels; p++) {
    sum += vec4f(input[(i / row * pixels + p) * row + i % row]);
  }
  output[i] = sum / f32(pixels);
}
