// means[c, p] = mean over the images i of class c of 2 · bytes[i, p] / maximum − 1
//
// A data set may lie in several buffers. The first one (`first`) starts the sum, the next ones add to `means`, and the
// last one (`last`) scales the sum to [−1, 1].
//
// bytes: images [count, pixels] of bytes, four to a word, little endian; members uint32: (start, count, before, total) of each
// class, then the images' indices in `bytes` grouped by class: starts are counted from the beginning of `members`, `before` are
// the class's images in earlier buffers, `total` those in all; means float32 [classes, pixels].
//
// Bytes are summed as integers, so each buffer's part of the mean is exact up to one rounding.

override classes: u32 = 10u;
override pixels: u32 = 64u;
override maximum: f32 = 255.0;

struct Shape {
  first: u32,
  last: u32,
}

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> members: array<u32>;
@group(0) @binding(2) var<storage, read_write> means: array<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= classes * pixels) {
    return;
  }
  let label = i / pixels;
  let start = members[4u * label];
  let count = members[4u * label + 1u];
  let total = members[4u * label + 3u];
  var sum = 0u;
  for (var k = 0u; k < count; k++) {
    let at = members[start + k] * pixels + i % pixels;
    sum += (bytes[at / 4u] >> (8u * (at % 4u))) & 0xffu;
  }
  // The quotient and the remainder are divided separately, because float32 cannot hold a sum beyond 2^24.
  var mean = f32(sum / total) + f32(sum % total) / f32(total);
  if (shape.first == 0u) {
    mean += means[i];
  }
  means[i] = select(mean, mean / maximum * 2.0 - 1.0, shape.last != 0u);
}
