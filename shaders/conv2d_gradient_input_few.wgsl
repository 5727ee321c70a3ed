// inputGradient[n, y, x, c] (=|+=) Σ_ky,kx,o outputGradient[n, y', x', o] · weight[ky, kx, c, o]
// over the output pixels with y'·stride + ky − padding = y and x'·stride + kx − padding = x
//
// As conv2d_gradient_input, for any number of input channels.
//
// outputGradient [N, outHeight, outWidth, outChannels]          float32, outChannels a multiple of 4
// weight         [kernel, kernel, inChannels, outChannels]
// inputGradient  [N, height, width, inChannels]
// accumulate: add to what is there.
//
// An invocation computes 3 channels of 4 neighbouring pixels, numbered over (n, y, x).

override height: u32 = 8u;
override width: u32 = 8u;
override outHeight: u32 = 8u;
override outWidth: u32 = 8u;
override inChannels: u32 = 16u;
override outChannels: u32 = 16u;
override kernel: u32 = 3u;
override stride: u32 = 1u;
override padding: u32 = 1u;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> inputGradient: array<f32>;

// Input pixels, numbered over (n, y, x). The binding is rounded up to whole vectors, which may add up to three values.
fn pixels() -> u32 {
  let image = outHeight * outWidth * (outChannels / 4u);
  return arrayLength(&outputGradient) / image * height * width;
}

// Index of the first channels of the output pixel that the tap (ky, kx) connects to, or −1 if there is none.
fn tap(pixel: u32, ky: u32, kx: u32) -> i32 {
  let row = pixel / width;
  let y = i32(row % height + padding) - i32(ky);
  let x = i32(pixel % width + padding) - i32(kx);
  let step = i32(stride);
  // Bits rather than branches: SwiftShader takes minutes to compile so many branches.
  let inside = (y >= 0) & (y % step == 0) & (y / step < i32(outHeight)) & (x >= 0) & (x % step == 0) &
    (x / step < i32(outWidth));
  return select(
    -1,
    ((i32(row / height * outHeight) + y / step) * i32(outWidth) + x / step) * i32(outChannels / 4u),
    inside,
  );
}

fn load(start: i32, channel: u32) -> vec4f {
  return select(vec4f(), outputGradient[u32(max(start, 0)) + channel], start >= 0);
}

fn store(pixel: u32, first: u32, values: vec3f) {
  if (pixel >= pixels()) {
    return;
  }
  for (var c = 0u; c < min(3u, inChannels - first); c++) {
    let value = select(select(values.z, values.y, c == 1u), values.x, c == 0u);
    let i = pixel * inChannels + first + c;
    if (accumulate) {
      inputGradient[i] += value;
    } else {
      inputGradient[i] = value;
    }
  }
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let channelTiles = (inChannels + 2u) / 3u;
  let first = i % channelTiles * 3u;
  let pixel = i / channelTiles * 4u;
  if (pixel >= pixels()) {
    return;
  }
  let outRow = outChannels / 4u;
  let last = pixels() - 1u;
  var sum0 = vec3f();
  var sum1 = vec3f();
  var sum2 = vec3f();
  var sum3 = vec3f();
  for (var ky = 0u; ky < kernel; ky++) {
    for (var kx = 0u; kx < kernel; kx++) {
      let start0 = tap(min(pixel + 0u, last), ky, kx);
      let start1 = tap(min(pixel + 1u, last), ky, kx);
      let start2 = tap(min(pixel + 2u, last), ky, kx);
      let start3 = tap(min(pixel + 3u, last), ky, kx);
      let row = (ky * kernel + kx) * inChannels * outRow;
      for (var o = 0u; o < outRow; o++) {
        // Channels beyond the last repeat it and are not stored.
        let w = mat3x4f(
          weight[row + first * outRow + o],
          weight[row + min(first + 1u, inChannels - 1u) * outRow + o],
          weight[row + min(first + 2u, inChannels - 1u) * outRow + o],
        );
        sum0 += load(start0, o) * w;
        sum1 += load(start1, o) * w;
        sum2 += load(start2, o) * w;
        sum3 += load(start3, o) * w;
      }
    }
  }
  store(pixel + 0u, first, sum0);
  store(pixel + 1u, first, sum1);
  store(pixel + 2u, first, sum2);
  store(pixel + 3u, first, sum3);
}
