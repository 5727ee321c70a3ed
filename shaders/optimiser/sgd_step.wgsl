// velocity ← momentum · velocity + (gradient + weightDecay · parameters)
// parameters ← parameters − schedule[0] · velocity
//
// SGD with momentum in PyTorch's form. gradient, velocity, parameters: float32 vectors of one length, in whole vec4s;
// schedule float32 [4] = (learning rate, …). status uint32 [4]: nothing changes when the first word is not 0.

override momentum: f32 = 0.9;
override weightDecay: f32 = 0.0;

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(1) var<storage, read> schedule: array<f32>;
@group(0) @binding(2) var<storage, read> status: array<u32>;
@group(0) @binding(3) var<storage, read_write> velocity: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&parameters) || status[0] != 0u) {
    return;
  }
  let decayed = fma(vec4f(weightDecay), parameters[i], gradient[i]);
  let moved = fma(vec4f(momentum), velocity[i], decayed);
  velocity[i] = moved;
  parameters[i] = fma(vec4f(-schedule[0]), moved, parameters[i]);
}
