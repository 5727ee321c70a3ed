// start[n] = draws[batch + n] = 1 ? fresh[n] : buffer[draws[n]]
//
// buffer [count, pixels], the part of a replay buffer that begins with the entry `first`; fresh, start [batch, pixels]:
// float32; draws uint32 [2·batch]: entries, then flags. Starts at entries outside the part stay as they are, so a
// replay buffer in several parts takes one dispatch for each.

override batch: u32 = 1u;
override pixels: u32 = 64u;
override first: u32 = 0u;
override count: u32 = 1u;

@group(0) @binding(0) var<storage, read> buffer: array<f32>;
@group(0) @binding(1) var<storage, read> fresh: array<f32>;
@group(0) @binding(2) var<storage, read> draws: array<u32>;
@group(0) @binding(3) var<storage, read_write> start: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= batch * pixels) {
    return;
  }
  let n = i / pixels;
  if (draws[batch + n] == 1u) {
    start[i] = fresh[i];
    return;
  }
  let entry = draws[n] - first;
  if (draws[n] >= first && entry < count) {
    start[i] = buffer[entry * pixels + i % pixels];
  }
}
