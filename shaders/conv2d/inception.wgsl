// output[n, y, x, outOffset + o] = max(0, scale[o] · sum + shift[o])
// sum = Σ_ky,kx,c input[n, y·stride + ky − paddingY, x·stride + kx − paddingX, c] · weight[ky, kx, c, o]
//
// input   [N, height, width, inChannels]                      float32, any number of channels
// weight  [kernelHeight, kernelWidth, inChannels, outChannels] float32, outChannels a multiple of 4
// affine  [2, outChannels]                                    the scale, then the shift: a folded batch norm
// output  [N, outHeight, outWidth, outStride]                 N follows from its length
//
// The result fills outChannels channels of the output from outOffset on and leaves the others alone, so that several
// convolutions can write the parts of one concatenation. outOffset and outStride are multiples of 4.
//
// An invocation computes 8 pixels × 16 channels in named registers. Pixels are numbered over (n, y, x). Neighbouring
// invocations share the pixels and differ in channels.

override height: u32 = 8u;
override width: u32 = 8u;
override outHeight: u32 = 8u;
override outWidth: u32 = 8u;
override inChannels: u32 = 16u;
override outChannels: u32 = 16u;
override kernelHeight: u32 = 3u;
override kernelWidth: u32 = 3u;
override stride: u32 = 1u;
override paddingY: u32 = 1u;
override paddingX: u32 = 1u;
override outOffset: u32 = 0u;
override outStride: u32 = 16u;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> affine: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;

// Where an output pixel's window begins: its image, then the input row and column of its first tap.
struct Window {
  image: u32,
  row: i32,
  column: i32,
}

fn windowOf(pixel: u32) -> Window {
  let row = pixel / outWidth;
  return Window(
    row / outHeight,
    i32(row % outHeight * stride) - i32(paddingY),
    i32(pixel % outWidth * stride) - i32(paddingX),
  );
}

// Index of the input pixel at the tap (ky, kx), or −1 in the padding.
fn tap(window: Window, ky: u32, kx: u32) -> i32 {
  let y = window.row + i32(ky);
  let x = window.column + i32(kx);
  // Bits rather than branches: SwiftShader would take minutes to compile the branches. A negative number is a large one.
  let inside = (u32(y) < height) & (u32(x) < width);
  return select(-1, (i32(window.image * height) + y) * i32(width) + x, inside);
}

fn element(i: u32) -> f32 {
  return input[i / 4u][i % 4u];
}

// Channels 4·c to 4·c + 3 of an input pixel; zero in the padding and beyond the last channel.
fn load(pixel: i32, c: u32) -> vec4f {
  let start = u32(max(pixel, 0)) * inChannels + 4u * c;
  var x: vec4f;
  if (inChannels % 4u == 0u) {
    x = input[start / 4u];
  } else {
    let present = vec4u(4u * c) + vec4u(0u, 1u, 2u, 3u) < vec4u(inChannels);
    let values = vec4f(element(start), element(start + 1u), element(start + 2u), element(start + 3u));
    x = select(vec4f(), values, present);
  }
  return select(vec4f(), x, pixel >= 0);
}

// Four input channels × four output channels of a tap. Channels beyond the last repeat it: they meet zeros in the
// input, or are not stored.
fn weights(place: u32, c: u32, channel: u32) -> mat4x4f {
  let row = outChannels / 4u;
  let i = place * inChannels * row + min(channel, row - 1u);
  let last = inChannels - 1u;
  return mat4x4f(
    weight[i + 4u * c * row],
    weight[i + min(4u * c + 1u, last) * row],
    weight[i + min(4u * c + 2u, last) * row],
    weight[i + min(4u * c + 3u, last) * row],
  );
}

// sum + w · x, in fused steps.
fn multiplyAdd(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

// Stores a pixel's 16 channels, as far as they exist.
fn store(pixel: u32, channel: u32, scale: mat4x4f, shift: mat4x4f, sums: mat4x4f) {
  let row = outChannels / 4u;
  let outRow = outStride / 4u;
  if (pixel >= arrayLength(&output) / outRow) {
    return;
  }
  let start = pixel * outRow + outOffset / 4u + channel;
  output[start] = max(vec4f(), fma(sums[0], scale[0], shift[0]));
  if (channel + 1u < row) {
    output[start + 1u] = max(vec4f(), fma(sums[1], scale[1], shift[1]));
  }
  if (channel + 2u < row) {
    output[start + 2u] = max(vec4f(), fma(sums[2], scale[2], shift[2]));
  }
  if (channel + 3u < row) {
    output[start + 3u] = max(vec4f(), fma(sums[3], scale[3], shift[3]));
  }
}

// 16 channels of a row of `affine`. Channels beyond the last repeat it.
fn affineRow(which: u32, channel: u32) -> mat4x4f {
  let last = outChannels / 4u - 1u;
  let i = which * (last + 1u);
  return mat4x4f(
    affine[i + channel],
    affine[i + min(channel + 1u, last)],
    affine[i + min(channel + 2u, last)],
    affine[i + min(channel + 3u, last)],
  );
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let channelTiles = (outChannels / 4u + 3u) / 4u;
  let channel = i % channelTiles * 4u;
  let pixel = i / channelTiles * 8u;
  let last = arrayLength(&output) / (outStride / 4u) - 1u;
  if (pixel > last) {
    return;
  }
  let window0 = windowOf(min(pixel + 0u, last)); let window1 = windowOf(min(pixel + 1u, last));
  let window2 = windowOf(min(pixel + 2u, last)); let window3 = windowOf(min(pixel + 3u, last));
  let window4 = windowOf(min(pixel + 4u, last)); let window5 = windowOf(min(pixel + 5u, last));
  let window6 = windowOf(min(pixel + 6u, last)); let window7 = windowOf(min(pixel + 7u, last));
  var sum0_0 = vec4f(); var sum0_1 = vec4f(); var sum0_2 = vec4f(); var sum0_3 = vec4f();
  var sum1_0 = vec4f(); var sum1_1 = vec4f(); var sum1_2 = vec4f(); var sum1_3 = vec4f();
  var sum2_0 = vec4f(); var sum2_1 = vec4f(); var sum2_2 = vec4f(); var sum2_3 = vec4f();
  var sum3_0 = vec4f(); var sum3_1 = vec4f(); var sum3_2 = vec4f(); var sum3_3 = vec4f();
  var sum4_0 = vec4f(); var sum4_1 = vec4f(); var sum4_2 = vec4f(); var sum4_3 = vec4f();
  var sum5_0 = vec4f(); var sum5_1 = vec4f(); var sum5_2 = vec4f(); var sum5_3 = vec4f();
  var sum6_0 = vec4f(); var sum6_1 = vec4f(); var sum6_2 = vec4f(); var sum6_3 = vec4f();
  var sum7_0 = vec4f(); var sum7_1 = vec4f(); var sum7_2 = vec4f(); var sum7_3 = vec4f();
  for (var ky = 0u; ky < kernelHeight; ky++) {
    for (var kx = 0u; kx < kernelWidth; kx++) {
      let pixel0 = tap(window0, ky, kx); let pixel1 = tap(window1, ky, kx);
      let pixel2 = tap(window2, ky, kx); let pixel3 = tap(window3, ky, kx);
      let pixel4 = tap(window4, ky, kx); let pixel5 = tap(window5, ky, kx);
      let pixel6 = tap(window6, ky, kx); let pixel7 = tap(window7, ky, kx);
      let place = ky * kernelWidth + kx;
      for (var c = 0u; c < (inChannels + 3u) / 4u; c++) {
        let w0 = weights(place, c, channel + 0u); let w1 = weights(place, c, channel + 1u);
        let w2 = weights(place, c, channel + 2u); let w3 = weights(place, c, channel + 3u);
        let x0 = load(pixel0, c);
        sum0_0 = multiplyAdd(w0, x0, sum0_0); sum0_1 = multiplyAdd(w1, x0, sum0_1);
        sum0_2 = multiplyAdd(w2, x0, sum0_2); sum0_3 = multiplyAdd(w3, x0, sum0_3);
        let x1 = load(pixel1, c);
        sum1_0 = multiplyAdd(w0, x1, sum1_0); sum1_1 = multiplyAdd(w1, x1, sum1_1);
        sum1_2 = multiplyAdd(w2, x1, sum1_2); sum1_3 = multiplyAdd(w3, x1, sum1_3);
        let x2 = load(pixel2, c);
        sum2_0 = multiplyAdd(w0, x2, sum2_0); sum2_1 = multiplyAdd(w1, x2, sum2_1);
        sum2_2 = multiplyAdd(w2, x2, sum2_2); sum2_3 = multiplyAdd(w3, x2, sum2_3);
        let x3 = load(pixel3, c);
        sum3_0 = multiplyAdd(w0, x3, sum3_0); sum3_1 = multiplyAdd(w1, x3, sum3_1);
        sum3_2 = multiplyAdd(w2, x3, sum3_2); sum3_3 = multiplyAdd(w3, x3, sum3_3);
        let x4 = load(pixel4, c);
        sum4_0 = multiplyAdd(w0, x4, sum4_0); sum4_1 = multiplyAdd(w1, x4, sum4_1);
        sum4_2 = multiplyAdd(w2, x4, sum4_2); sum4_3 = multiplyAdd(w3, x4, sum4_3);
        let x5 = load(pixel5, c);
        sum5_0 = multiplyAdd(w0, x5, sum5_0); sum5_1 = multiplyAdd(w1, x5, sum5_1);
        sum5_2 = multiplyAdd(w2, x5, sum5_2); sum5_3 = multiplyAdd(w3, x5, sum5_3);
        let x6 = load(pixel6, c);
        sum6_0 = multiplyAdd(w0, x6, sum6_0); sum6_1 = multiplyAdd(w1, x6, sum6_1);
        sum6_2 = multiplyAdd(w2, x6, sum6_2); sum6_3 = multiplyAdd(w3, x6, sum6_3);
        let x7 = load(pixel7, c);
        sum7_0 = multiplyAdd(w0, x7, sum7_0); sum7_1 = multiplyAdd(w1, x7, sum7_1);
        sum7_2 = multiplyAdd(w2, x7, sum7_2); sum7_3 = multiplyAdd(w3, x7, sum7_3);
      }
    }
  }
  let scale = affineRow(0u, channel);
  let shift = affineRow(1u, channel);
  store(pixel + 0u, channel, scale, shift, mat4x4f(sum0_0, sum0_1, sum0_2, sum0_3));
  store(pixel + 1u, channel, scale, shift, mat4x4f(sum1_0, sum1_1, sum1_2, sum1_3));
  store(pixel + 2u, channel, scale, shift, mat4x4f(sum2_0, sum2_1, sum2_2, sum2_3));
  store(pixel + 3u, channel, scale, shift, mat4x4f(sum3_0, sum3_1, sum3_2, sum3_3));
  store(pixel + 4u, channel, scale, shift, mat4x4f(sum4_0, sum4_1, sum4_2, sum4_3));
  store(pixel + 5u, channel, scale, shift, mat4x4f(sum5_0, sum5_1, sum5_2, sum5_3));
  store(pixel + 6u, channel, scale, shift, mat4x4f(sum6_0, sum6_1, sum6_2, sum6_3));
  store(pixel + 7u, channel, scale, shift, mat4x4f(sum7_0, sum7_1, sum7_2, sum7_3));
}
