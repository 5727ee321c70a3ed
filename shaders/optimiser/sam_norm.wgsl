// partials[k] = Σ (T_i · gradient_i)² over the k-th chunk, T = |parameters| if adaptive, else 1
//
// parameters, gradient: float32 vectors; partials [chunks].
// chunkVectors: vec4s of one chunk. Values from `length` on are left out.

override length: u32 = 4u;
override chunkVectors: u32 = 64u;
override adaptive: bool = false;

@group(0) @binding(0) var<storage, read> parameters: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let first = i * chunkVectors;
  let vectors = arrayLength(&gradient);
  if (first >= vectors) {
    return;
  }
  var sum = vec4f();
  for (var v = first; v < min(first + chunkVectors, vectors); v++) {
    var scaled = gradient[v];
    if (adaptive) {
      scaled *= parameters[v];
    }
    scaled = select(vec4f(), scaled, vec4u(4u * v) + vec4u(0u, 1u, 2u, 3u) < vec4u(length));
    sum = fma(scaled, scaled, sum);
  }
  partials[i] = (sum.x + sum.y) + (sum.z + sum.w);
}
