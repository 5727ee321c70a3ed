// spreadShift[g, c] = Σ_c' scale[c']·shiftSum[g, c'] / channels, spreadScale[g, c] = Σ_c' scale[c']·scaleSum[g, c'] / channels,
// for every c: what the sums of norm_backward_sums become when all channels share their statistics.
//
// scale [channels]; the others [groups, channels]: float32.
//
// Entry point `main`: a workgroup takes a group. Each invocation sums every 64th channel; then the sums are added
// pairwise. Entry point `alone`, many times as fast on software adapters: an invocation takes a group.

override channels: u32 = 16u;
override groups: u32 = 1u;

@group(0) @binding(0) var<storage, read> scale: array<f32>;
@group(0) @binding(1) var<storage, read> shiftSum: array<f32>;
@group(0) @binding(2) var<storage, read> scaleSum: array<f32>;
@group(0) @binding(3) var<storage, read_write> spreadShift: array<f32>;
@group(0) @binding(4) var<storage, read_write> spreadScale: array<f32>;

const threads = 64u;
var<workgroup> laneShift: array<f32, threads>;
var<workgroup> laneScale: array<f32, threads>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroup.x + workgroup.y * workgroups.x;
  if (group >= groups) {
    return;
  }
  let first = group * channels;
  var shift = 0.0;
  var product = 0.0;
  for (var c = lane; c < channels; c += threads) {
    shift = fma(scale[c], shiftSum[first + c], shift);
    product = fma(scale[c], scaleSum[first + c], product);
  }
  laneShift[lane] = shift;
  laneScale[lane] = product;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      laneShift[lane] += laneShift[lane + half];
      laneScale[lane] += laneScale[lane + half];
    }
  }
  workgroupBarrier();
  for (var c = lane; c < channels; c += threads) {
    spreadShift[first + c] = laneShift[0] / f32(channels);
    spreadScale[first + c] = laneScale[0] / f32(channels);
  }
}

@compute @workgroup_size(8)
fn alone(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let group = id.x + id.y * workgroups.x * 8u;
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
