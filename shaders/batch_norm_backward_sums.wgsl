// shiftSum[c] = Σ_k partials[k, 0, c], scaleSum[c] = Σ_k partials[k, 1, c], in the order of k
// and with the entry point `sumsAndParameters` also shiftGradient += shiftSum, scaleGradient += scaleSum
//
// partials [chunks, 2, channels]; the others [channels]: float32.

override channels: u32 = 16u;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> shiftSum: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> scaleSum: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> shiftGradient: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> scaleGradient: array<vec4f>;

// Writes the sums of four channels.
fn sum(c: u32) {
  let row = channels / 4u;
  var shift = vec4f();
  var scale = vec4f();
  for (var k = 0u; k < arrayLength(&partials) / (2u * row); k++) {
    shift += partials[2u * k * row + c];
    scale += partials[(2u * k + 1u) * row + c];
  }
  shiftSum[c] = shift;
  scaleSum[c] = scale;
}

@compute @workgroup_size(8)
fn sums(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < channels / 4u) {
    sum(id.x);
  }
}

@compute @workgroup_size(8)
fn sumsAndParameters(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < channels / 4u) {
    sum(id.x);
    shiftGradient[id.x] += shiftSum[id.x];
    scaleGradient[id.x] += scaleSum[id.x];
  }
}
