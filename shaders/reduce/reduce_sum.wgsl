// sum[0] = factor · Σ_i input[i], in a fixed order
//
// input [length], sum [1]: float32. One workgroup: each invocation sums every 256th value, then they are added pairwise.

struct Shape {
  length: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> sum: array<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  for (var i = lane; i < shape.length; i += 256u) {
    total += input[i];
  }
  partial[lane] = total;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
  }
  if (lane == 0u) {
    sum[0] = shape.factor * partial[0];
  }
}
