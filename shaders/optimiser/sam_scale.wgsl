// scale[0] = rho / (norm + 1e-12), scale[1] = norm, norm = √ Σ_k partials[k], in a fixed order
//
// partials [count], scale [2]: float32. One workgroup.

override count: u32 = 1u;
override rho: f32 = 0.05;

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> scale: array<f32>;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  for (var k = lane; k < count; k += 256u) {
    total += partials[k];
  }
  sums[lane] = total;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
  }
  if (lane == 0u) {
    let norm = sqrt(sums[0]);
    scale[0] = rho / (norm + 1e-12);
    scale[1] = norm;
  }
}
