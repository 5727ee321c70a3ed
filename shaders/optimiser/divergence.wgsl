// If |likelihood| > limit, or likelihood or loss is not finite, and status[0] = 0:
// status = (1, step, bits of likelihood, bits of loss)
//
// likelihood, loss float32 [1]; stream uint32 [4] with the step in its third word; status uint32 [4], which stays once set.

override limit: f32 = 1e5;

@group(0) @binding(0) var<storage, read> likelihood: array<f32>;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read> stream: array<u32>;
@group(0) @binding(3) var<storage, read_write> status: array<u32>;

// By the bits: WGSL lets a compiler assume that no number is infinite or NaN.
fn isFinite(bits: u32) -> bool {
  return (bits & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(1)
fn main() {
  let likelihoodBits = bitcast<u32>(likelihood[0]);
  let lossBits = bitcast<u32>(loss[0]);
  let fine = isFinite(likelihoodBits) && isFinite(lossBits) && abs(likelihood[0]) <= limit;
  if (!fine && status[0] == 0u) {
    status[0] = 1u;
    status[1] = stream[2];
    status[2] = likelihoodBits;
    status[3] = lossBits;
  }
}
