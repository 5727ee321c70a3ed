// spreadShift[g, c] = Σ_c' scale[c']·shiftSum[g, c'] / channels, spreadScale[g, c] = Σ_c' scale[c']·scaleSum[g, c'] / channels,
// for every c: what the sums of norm_backward_sums become when all channels share their statistics.
//
// scale [channels]; the others [groups, channels]: float32.

override channels: u32 = 16u;
override groups: u32 = 1u;

@group(0) @binding(0) var<storage, read> scale: array<f32>;
@group(0) @binding(1) var<storage, read> shiftSum: array<f32>;
@group(0) @binding(2) var<storage, read> scaleSum: array<f32>;
@group(0) @binding(3) var<storage, read_write> spreadShift: array<f32>;
@group(0) @binding(4) var<storage, read_write> spreadScale: array<f32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) counts: vec3u) {
  let group = id.x + id.y * counts.x * 8u;
  if (group >= groups) {
    return;
  }
  let first = group * channels;
  var shift = 0.0;
  var product = 0.0;
  for (var c = 0u; c < channels; c++) {
    shift = fma(scale[c], shiftSum[first + c], shift);
    product = fma(scale[c], scaleSum[first + c], product);
  }
  for (var c = 0u; c < channels; c++) {
    spreadShift[first + c] = shift / f32(channels);
    spreadScale[first + c] = product / f32(channels);
  }
}
