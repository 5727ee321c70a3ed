// partials[k, 0, c] = Σ g, partials[k, 1, c] = Σ g · normal over the k-th chunk of rows, where
// normal = (input − mean) · inverseDeviation, value = normal · scale + shift,
// g = outputGradient · (value > 0 ? 1 : slope)
//
// input, outputGradient [rows, channels]; statistics [2, channels] = (mean, inverseDeviation); scale, shift [channels];
// partials [chunks, 2, channels]: float32.

override channels: u32 = 16u;
override rowsPerChunk: u32 = 64u;
override slope: f32 = 1.0;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read> shift: array<vec4f>;
@group(0) @binding(4) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let row = channels / 4u;
  let c = i % row;
  let chunk = i / row;
  let first = chunk * rowsPerChunk;
  let rows = arrayLength(&input) / row;
  if (first >= rows) {
    return;
  }
  let mean = statistics[c];
  let inverseDeviation = statistics[row + c];
  let channelScale = scale[c];
  let channelShift = shift[c];
  var sum = vec4f();
  var product = vec4f();
  for (var r = first; r < min(first + rowsPerChunk, rows); r++) {
    let normal = (input[r * row + c] - mean) * inverseDeviation;
    let value = fma(normal, channelScale, channelShift);
    let g = outputGradient[r * row + c] * select(vec4f(slope), vec4f(1.0), value > vec4f());
    sum += g;
    product = fma(g, normal, product);
  }
  partials[2u * chunk * row + c] = sum;
  partials[(2u * chunk + 1u) * row + c] = product;
}
