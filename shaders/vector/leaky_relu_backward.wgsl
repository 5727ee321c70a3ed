// inputGradient[i] (=|+=) outputGradient[i] · (input[i] > 0 ? 1 : slope)
//
// Float32 vectors of one length, in whole vec4s. accumulate: add to what the result holds.

override slope: f32 = 0.2;
override accumulate: bool = false;

// vec4h in variants in half precision.
alias Input = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> inputGradient: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&inputGradient)) {
    return;
  }
  let gradient = outputGradient[i] * select(vec4f(slope), vec4f(1.0), vec4f(input[i]) > vec4f());
  if (accumulate) {
    inputGradient[i] += gradient;
  } else {
    inputGradient[i] = gradient;
  }
}
