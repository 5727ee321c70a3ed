// parameters[i] += scale[0] · T_i² · gradient[i], T = |parameters| if adaptive, else 1
//
// parameters, gradient: float32 vectors of one length, in whole vec4s; scale [2] as sam_scale leaves it.

override adaptive: bool = false;

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&parameters)) {
    return;
  }
  let parameter = parameters[i];
  var direction = gradient[i];
  if (adaptive) {
    direction *= parameter * parameter;
  }
  parameters[i] = fma(vec4f(scale[0]), direction, parameter);
}
