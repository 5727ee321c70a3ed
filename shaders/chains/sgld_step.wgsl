// moved = image + stepSize · clamp(gradient, −gradientClamp, gradientClamp)
// innerSteps times: moved ← clamp(moved + innerStepSize · clamp(gradient, −innerClamp, innerClamp), −1, 1)
// next = clamp(moved + noiseScale · noise, −1, 1)
//
// One step of stochastic gradient Langevin dynamics (SADA-JEM, equation 3, with JEM++'s proximity). With inner steps it
// is one outer step of JEM++'s PYLD. Float32 vectors of one length, in whole vec4s. `noise` is not read when noiseScale
// is 0.

override stepSize: f32 = 1.0;
override gradientClamp: f32 = 1.0;
override innerSteps: u32 = 0u;
override innerStepSize: f32 = 0.0;
override innerClamp: f32 = 1.0;
override noiseScale: f32 = 0.0;

@group(0) @binding(0) var<storage, read> image: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read> noise: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> next: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&next)) {
    return;
  }
  let bound = vec4f(gradientClamp);
  var moved = fma(vec4f(stepSize), clamp(gradient[i], -bound, bound), image[i]);
  let inner = innerStepSize * clamp(gradient[i], vec4f(-innerClamp), vec4f(innerClamp));
  for (var k = 0u; k < innerSteps; k++) {
    moved = clamp(moved + inner, vec4f(-1.0), vec4f(1.0));
  }
  if (noiseScale != 0.0) {
    moved = fma(vec4f(noiseScale), noise[i], moved);
  }
  next[i] = clamp(moved, vec4f(-1.0), vec4f(1.0));
}
