// One step of projected gradient ascent on images, inside the ball of a radius around the originals and inside [−1, 1]:
//
// linf: next = clamp(clamp(image + stepSize · sign(gradient), original − radius, original + radius), −1, 1)
// l2:   moved = image + stepSize · gradient / ‖gradient‖, offset = moved − original
//       next = clamp(original + min(‖offset‖, radius) · offset / (‖offset‖ + 1e-10), −1, 1)       norms image by image
//
// image, gradient, original, next [batch, pixels]: float32. A workgroup of `l2` takes one image; its sums have a fixed
// order.

override pixels: u32 = 64u;
override stepSize: f32 = 0.01;
override radius: f32 = 0.1;

@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> original: array<f32>;
@group(0) @binding(3) var<storage, read_write> next: array<f32>;

@compute @workgroup_size(64)
fn linf(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&next)) {
    return;
  }
  let moved = image[i] + stepSize * sign(gradient[i]);
  next[i] = clamp(clamp(moved, original[i] - radius, original[i] + radius), -1.0, 1.0);
}

var<workgroup> partial: array<f32, 64>;

// Square root of the sum of all invocations' values.
fn norm(thread: u32, squares: f32) -> f32 {
  partial[thread] = squares;
  workgroupBarrier();
  for (var width = 32u; width > 0u; width /= 2u) {
    if (thread < width) {
      partial[thread] += partial[thread + width];
    }
    workgroupBarrier();
  }
  let sum = partial[0];
  workgroupBarrier();
  return sqrt(sum);
}

@compute @workgroup_size(64)
fn l2(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let first = group.x * pixels;
  let thread = id.x;
  var squares = 0.0;
  for (var p = thread; p < pixels; p += 64u) {
    squares = fma(gradient[first + p], gradient[first + p], squares);
  }
  let scale = stepSize / max(norm(thread, squares), 1e-30);
  squares = 0.0;
  for (var p = thread; p < pixels; p += 64u) {
    let offset = fma(scale, gradient[first + p], image[first + p]) - original[first + p];
    squares = fma(offset, offset, squares);
  }
  let distance = norm(thread, squares);
  let shrink = min(distance, radius) / (distance + 1e-10);
  for (var p = thread; p < pixels; p += 64u) {
    let offset = fma(scale, gradient[first + p], image[first + p]) - original[first + p];
    next[first + p] = clamp(fma(shrink, offset, original[first + p]), -1.0, 1.0);
  }
}
