// statistics[0, c] = running[0, c], statistics[1, c] = 1 / √(running[1, c] + epsilon)
//
// running [2, channels]: mean, variance. statistics [2, channels]: mean, inverse standard deviation. float32.

override epsilon: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> running: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> statistics: array<vec4f>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = arrayLength(&running) / 2u;
  if (id.x >= row) {
    return;
  }
  statistics[id.x] = running[id.x];
  statistics[row + id.x] = 1.0 / sqrt(running[row + id.x] + epsilon);
}
