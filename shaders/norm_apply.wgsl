// output[g, r, c] = leakyReLU((input[g, r, c] − mean[g, c]) · inverseDeviation[g, c] · scale[c] + shift[c])
// leakyReLU(v) = v > 0 ? v : slope·v
//
// input, output [groups, rows, channels]; statistics [groups, 2, channels] = (mean, inverseDeviation);
// scale, shift [channels]: float32.
// rowsPerGroup: rows of a group; 0 if there is one group only, whose rows follow from the output's length.
//
// An invocation goes through eight rows of four channels, and so loads what belongs to the channels once.

override channels: u32 = 16u;
override rowsPerGroup: u32 = 0u;
override slope: f32 = 1.0;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read> shift: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

const rowsPerInvocation = 8u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = channels / 4u;
  let i = id.x + id.y * groups.x * 64u;
  let allRows = arrayLength(&output) / row;
  let rows = select(rowsPerGroup, allRows, rowsPerGroup == 0u);
  let parts = (rows + rowsPerInvocation - 1u) / rowsPerInvocation;
  let group = i / row / parts;
  let first = group * rows + i / row % parts * rowsPerInvocation;
  if (first >= allRows) {
    return;
  }
  let c = i % row;
  let mean = statistics[2u * group * row + c];
  let inverseDeviation = statistics[(2u * group + 1u) * row + c];
  let channelScale = scale[c];
  let channelShift = shift[c];
  for (var r = first; r < min(first + rowsPerInvocation, (group + 1u) * rows); r++) {
    let at = r * row + c;
    let normal = (input[at] - mean) * inverseDeviation;
    let value = fma(normal, channelScale, channelShift);
    output[at] = select(slope * value, value, value > vec4f());
  }
}
