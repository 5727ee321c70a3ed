// inputGradient (=|+=) scale · inverseDeviation · (g − shiftSum / rows − normal · scaleSum / rows)   with batchStatistics
// inputGradient (=|+=) scale · inverseDeviation · g                                                 with running ones
// g and normal as in batch_norm_backward_moments.
//
// input, outputGradient, inputGradient [rows, channels]; statistics [2, channels] = (mean, inverseDeviation);
// scale, shift, shiftSum, scaleSum [channels]: float32.
// accumulate: add to what is there.
//
// An invocation goes through eight rows of four channels, and so loads what belongs to the channels once.

override channels: u32 = 16u;
override slope: f32 = 1.0;
override batchStatistics: bool = true;
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
  let rows = arrayLength(&inputGradient) / row;
  let first = i / row * rowsPerInvocation;
  if (first >= rows) {
    return;
  }
  let c = i % row;
  let mean = statistics[c];
  let inverseDeviation = statistics[row + c];
  let channelScale = scale[c];
  let channelShift = shift[c];
  let meanGradient = shiftSum[c] / f32(rows);
  let meanProduct = scaleSum[c] / f32(rows);
  for (var r = first; r < min(first + rowsPerInvocation, rows); r++) {
    let at = r * row + c;
    let normal = (input[at] - mean) * inverseDeviation;
    let value = fma(normal, channelScale, channelShift);
    var g = outputGradient[at] * select(vec4f(slope), vec4f(1.0), value > vec4f());
    if (batchStatistics) {
      g -= meanGradient + normal * meanProduct;
    }
    let gradient = channelScale * inverseDeviation * g;
    if (accumulate) {
      inputGradient[at] += gradient;
    } else {
      inputGradient[at] = gradient;
    }
  }
}
