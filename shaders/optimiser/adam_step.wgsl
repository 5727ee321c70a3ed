// g = gradient + weightDecay · parameters
// firstMoment ← beta1 · firstMoment + (1 − beta1) · g
// secondMoment ← beta2 · secondMoment + (1 − beta2) · g²
// parameters ← parameters − schedule[0] / schedule[1] · firstMoment / (√secondMoment / √schedule[2] + epsilon)
//
// Adam (Kingma and Ba, 2015), as torch.optim.Adam. Vectors float32 of one length, in whole vec4s; schedule float32 [4]
// = (learning rate, 1 − beta1^t, 1 − beta2^t, …). status uint32 [4]: nothing changes when the first word is not 0.

override beta1: f32 = 0.9;
override beta2: f32 = 0.999;
// 1 − beta, rounded once: in float32 the difference would lose half of beta2's digits.
override complement1: f32 = 0.1;
override complement2: f32 = 0.001;
override epsilon: f32 = 1e-8;
override weightDecay: f32 = 0.0;

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(1) var<storage, read> schedule: array<f32>;
@group(0) @binding(2) var<storage, read> status: array<u32>;
@group(0) @binding(3) var<storage, read_write> firstMoment: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> secondMoment: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> parameters: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&parameters) || status[0] != 0u) {
    return;
  }
  let g = fma(vec4f(weightDecay), parameters[i], gradient[i]);
  let first = fma(vec4f(beta1), firstMoment[i], complement1 * g);
  let second = fma(vec4f(beta2), secondMoment[i], complement2 * g * g);
  firstMoment[i] = first;
  secondMoment[i] = second;
  let denominator = sqrt(second) / sqrt(schedule[2]) + epsilon;
  parameters[i] -= schedule[0] / schedule[1] * (first / denominator);
}
