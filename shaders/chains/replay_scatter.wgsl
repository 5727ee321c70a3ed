// buffer[draws[n]] = images[n]; of repeated entries the last n wins
//
// images [batch, pixels], buffer [count, pixels], the part of a replay buffer that begins with the entry `first`:
// float32; draws uint32 [2·batch], entries first. Entries outside the part are skipped.
// status uint32 [4]: nothing changes when the first word is not 0.

override batch: u32 = 1u;
override pixels: u32 = 64u;
override first: u32 = 0u;
override count: u32 = 1u;

@group(0) @binding(0) var<storage, read> images: array<f32>;
@group(0) @binding(1) var<storage, read> draws: array<u32>;
@group(0) @binding(2) var<storage, read> status: array<u32>;
@group(0) @binding(3) var<storage, read_write> buffer: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= batch * pixels || status[0] != 0u) {
    return;
  }
  let n = i / pixels;
  let entry = draws[n] - first;
  if (draws[n] < first || entry >= count) {
    return;
  }
  // A later chain with the same entry writes instead, so the order of invocations does not matter.
  for (var later = n + 1u; later < batch; later++) {
    if (draws[later] == draws[n]) {
      return;
    }
  }
  buffer[entry * pixels + i % pixels] = images[i];
}
