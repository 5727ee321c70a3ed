// statistics[0, c] = −location[c], statistics[1, c] = 1: with them, norm_apply computes scale·(x + location)
//
// location [channels], statistics [2, channels]: float32.

@group(0) @binding(0) var<storage, read> location: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = arrayLength(&location);
  if (id.x < row) {
    statistics[id.x] = -location[id.x];
    statistics[row + id.x] = vec4f(1.0);
  }
}
