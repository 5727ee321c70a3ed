// output[i] = input[i] > 0 ? input[i] : slope · input[i]
//
// input, output: float32 vectors of one length, in whole vec4s.

override slope: f32 = 0.2;

// vec4h in variants in half precision.
alias Input = vec4f;
alias Output = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read_write> output: array<Output>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&output)) {
    return;
  }
  let x = vec4f(input[i]);
  output[i] = Output(select(slope * x, x, x > vec4f()));
}
