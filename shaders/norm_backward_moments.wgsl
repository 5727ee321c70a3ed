// partials[h, k, 0, c] = Σ g, partials[h, k, 1, c] = Σ g · normal over the k-th chunk of group h's rows, where
// normal = (input − mean) · inverseDeviation, value = normal · scale + shift,
// g = outputGradient · (value > 0 ? 1 : slope)
//
// input, outputGradient [groups, rows, channels]; statistics [groups, 2, channels] = (mean, inverseDeviation);
// scale, shift [channels]; partials [groups, chunks, 2, channels]: float32.
// rowsPerGroup: rows of a group; 0 if there is one group only, whose rows follow from the input's length.

override channels: u32 = 16u;
override rowsPerGroup: u32 = 0u;
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
  let allRows = arrayLength(&input) / row;
  let rows = select(rowsPerGroup, allRows, rowsPerGroup == 0u);
  let chunksPerGroup = (rows + rowsPerChunk - 1u) / rowsPerChunk;
  let group = chunk / chunksPerGroup;
  let first = group * rows + chunk % chunksPerGroup * rowsPerChunk;
  if (first >= allRows) {
    return;
  }
  let mean = statistics[2u * group * row + c];
  let inverseDeviation = statistics[(2u * group + 1u) * row + c];
  let channelScale = scale[c];
  let channelShift = shift[c];
  var sum = vec4f();
  var product = vec4f();
  for (var r = first; r < min(first + rowsPerChunk, (group + 1u) * rows); r++) {
    let normal = (input[r * row + c] - mean) * inverseDeviation;
    let value = fma(normal, channelScale, channelShift);
    let g = outputGradient[r * row + c] * select(vec4f(slope), vec4f(1.0), value > vec4f());
    sum += g;
    product = fma(g, normal, product);
  }
  partials[2u * chunk * row + c] = sum;
  partials[(2u * chunk + 1u) * row + c] = product;
}
