// inputGradient (=|+=) inverseDeviation · (scale·g − factor·shiftSum / rows − normal · factor·scaleSum / rows)
//                                                          where the statistics are the input's own (ownStatistics)
// inputGradient (=|+=) inverseDeviation · scale·g          where they are given
// g and normal as in norm_backward_moments; factor is scale, or 1 where the sums already contain it (scaledSums).
//
// input, outputGradient, inputGradient [groups, rows, channels]; statistics [groups, 2, channels] = (mean, inverseDeviation);
// scale, shift [channels]; shiftSum, scaleSum [groups, channels]: float32.
// rowsPerGroup: rows of a group; 0 if there is one group only, whose rows follow from the gradient's length.
// accumulate: add to what is there.
//
// An invocation goes through eight rows of four channels, and so loads what belongs to the channels once.

override channels: u32 = 16u;
override rowsPerGroup: u32 = 0u;
override slope: f32 = 1.0;
override ownStatistics: bool = true;
override scaledSums: bool = false;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read> shift: array<vec4f>;
@group(0) @binding(4) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(5) var<storage, read> shiftSum: array<vec4f>;
@group(0) @binding(6) var<storage, read> scaleSum: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> inputGradient: array<vec4f>;

const rowsPerInvocation = 8u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = channels / 4u;
  let i = id.x + id.y * groups.x * 64u;
  let allRows = arrayLength(&inputGradient) / row;
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
  let factor = select(channelScale, vec4f(1.0), scaledSums) / f32(rows);
  let meanGradient = factor * shiftSum[group * row + c];
  let meanProduct = factor * scaleSum[group * row + c];
  for (var r = first; r < min(first + rowsPerInvocation, (group + 1u) * rows); r++) {
    let at = r * row + c;
    let normal = (input[at] - mean) * inverseDeviation;
    let value = fma(normal, channelScale, channelShift);
    var g = channelScale * (outputGradient[at] * select(vec4f(slope), vec4f(1.0), value > vec4f()));
    if (ownStatistics) {
      g -= meanGradient + normal * meanProduct;
    }
    let gradient = inverseDeviation * g;
    if (accumulate) {
      inputGradient[at] += gradient;
    } else {
      inputGradient[at] = gradient;
    }
  }
}
