// product[i] = first[i] · second[i]                        (entry point `multiply`)
// product[i] += factor · first[i] · second[i]              (entry point `multiplyInto`)
//
// first, second, product: float32 vectors of one length, in whole vec4s.

override factor: f32 = 1.0;

@group(0) @binding(0) var<storage, read> first: array<vec4f>;
@group(0) @binding(1) var<storage, read> second: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> product: array<vec4f>;

@compute @workgroup_size(64)
fn multiply(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < arrayLength(&product)) {
    product[i] = first[i] * second[i];
  }
}

@compute @workgroup_size(64)
fn multiplyInto(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < arrayLength(&product)) {
    product[i] = fma(factor * first[i], second[i], product[i]);
  }
}
