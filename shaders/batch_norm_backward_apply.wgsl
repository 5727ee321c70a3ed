// inputGradient (=|+=) scale · inverseDeviation · (g − shiftSum / rows − normal · scaleSum / rows)   with batchStatistics
// inputGradient (=|+=) scale · inverseDeviation · g                                                 with running ones
// g and normal as in batch_norm_backward_moments.
//
// input, outputGradient, inputGradient [rows, channels]; statistics [2, channels] = (mean, inverseDeviation);
// scale, shift, shiftSum, scaleSum [channels]: float32.
// accumulate: add to what is there.

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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&inputGradient)) {
    return;
  }
  let row = channels / 4u;
  let c = i % row;
  let rows = f32(arrayLength(&inputGradient) / row);
  let inverseDeviation = statistics[row + c];
  let normal = (input[i] - statistics[c]) * inverseDeviation;
  let value = fma(normal, scale[c], shift[c]);
  var g = outputGradient[i] * select(vec4f(slope), vec4f(1.0), value > vec4f());
  if (batchStatistics) {
    g -= (shiftSum[c] + normal * scaleSum[c]) / rows;
  }
  let gradient = scale[c] * inverseDeviation * g;
  if (accumulate) {
    inputGradient[i] += gradient;
  } else {
    inputGradient[i] = gradient;
  }
}
