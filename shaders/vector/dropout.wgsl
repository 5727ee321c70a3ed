// output (=|+=) input / (1 − rate) where uniforms ≥ rate, 0 elsewhere
//
// input, uniforms, output [length]: float32; uniforms in [0, 1).
// accumulate: add to what the result holds.

override rate: f32 = 0.5;
override accumulate: bool = false;

// vec4h in variants in half precision.
alias Input = vec4f;
alias Output = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> uniforms: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<Output>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&output)) {
    return;
  }
  let kept = select(vec4f(), vec4f(input[i]) / (1.0 - rate), uniforms[i] >= vec4f(rate));
  if (accumulate) {
    output[i] = Output(vec4f(output[i]) + kept);
  } else {
    output[i] = Output(kept);
  }
}
