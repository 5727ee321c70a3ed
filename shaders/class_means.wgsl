// means[c, p] = mean over the images i of class c of 2 · bytes[i, p] / maximum − 1
//
// bytes: a data set [count, pixels] of bytes, four to a word, little endian; members uint32: (start, count) of each class,
// then the images' indices grouped by class, starts counted from the beginning of `members`; means float32 [classes, pixels].
//
// Bytes are summed as integers, so the mean is exact but for one rounding.

override classes: u32 = 10u;
override pixels: u32 = 64u;
override maximum: f32 = 255.0;

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> members: array<u32>;
@group(0) @binding(2) var<storage, read_write> means: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= classes * pixels) {
    return;
  }
  let start = members[2u * (i / pixels)];
  let count = members[2u * (i / pixels) + 1u];
  var sum = 0u;
  for (var k = 0u; k < count; k++) {
    let at = members[start + k] * pixels + i % pixels;
    sum += (bytes[at / 4u] >> (8u * (at % 4u))) & 0xffu;
  }
  // The whole part and the rest are divided apart: a sum beyond 2^24 is not a float32.
  let mean = f32(sum / count) + f32(sum % count) / f32(count);
  means[i] = mean / maximum * 2.0 - 1.0;
}
