// output[r, c] = leakyReLU((input[r, c] − mean[c]) · inverseDeviation[c] · scale[c] + shift[c]), leakyReLU(v) = v > 0 ? v : slope·v
//
// input, output [rows, channels]; statistics [2, channels] = (mean, inverseDeviation); scale, shift [channels]: float32.

override channels: u32 = 16u;
override slope: f32 = 1.0;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read> shift: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&output)) {
    return;
  }
  let row = channels / 4u;
  let c = i % row;
  let normal = (input[i] - statistics[c]) * statistics[row + c];
  let value = fma(normal, scale[c], shift[c]);
  output[i] = select(slope * value, value, value > vec4f());
}
