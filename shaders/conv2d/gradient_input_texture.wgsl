// inputGradient[n, y, x, c] (=|+=) Σ_ky,kx,o outputGradient[n, y', x', o] · weight[ky, kx, c, o]
// over the output pixels with y'·stride + ky − padding = y and x'·stride + kx − padding = x
//
// outputGradient [N, outHeight, outWidth, outChannels]          float32, outChannels a multiple of 4
// weight         [kernel, kernel, inChannels, outChannels]      float32, inChannels a multiple of 4
// inputGradient  [N, height, width, inChannels]                 N follows from its length
// accumulate: add to what the result holds. weightSets: how many weights lie one after the other; each is for an equal
// part of the images, and no tile spans two of them. With 1×1 kernels that is a batch of matrix products.
//
// Operands are read through textures, see conv2d_patch_texture.
//
// An invocation computes 16 pixels × 16 channels, as in conv2d_forward. With a stride, a pixel meets only every
// stride-th tap in each direction. So pixels are numbered by phase (y mod stride, x mod stride) first: all pixels of a
// tile then meet the same taps, and none is multiplied by zero.

override stride: u32 = 1u;
override accumulate: bool = false;
override weightSets: u32 = 1u;

struct Shape {
  height: u32,
  width: u32,
  outHeight: u32,
  outWidth: u32,
  inChannels: u32,
  outChannels: u32,
  kernel: u32,
  padding: u32,
}

@group(0) @binding(0) var outputGradient: texture_2d<f32>;
@group(0) @binding(1) var weight: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> inputGradient: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

// An input pixel; `valid` is false beyond the border or the last image.
struct Pixel {
  image: u32,
  row: u32,
  column: u32,
  valid: bool,
}

fn pixelOf(number: u32, phase: u32, count: u32, image: u32) -> Pixel {
  let rows = (shape.height + stride - 1u) / stride;
  let columns = (shape.width + stride - 1u) / stride;
  let row = number / columns % rows * stride + phase / stride;
  let column = number % columns * stride + phase % stride;
  return Pixel(image + number / columns / rows, row, column, number < count && row < shape.height && column < shape.width);
}

// Index of the first channels of the output pixel that the tap (ky, kx) connects to, or −1 if there is none.
fn tap(pixel: Pixel, ky: u32, kx: u32) -> i32 {
  let y = (i32(pixel.row + shape.padding) - i32(ky)) / i32(stride);
  let x = (i32(pixel.column + shape.padding) - i32(kx)) / i32(stride);
  // Bits rather than branches: SwiftShader would take minutes to compile the branches.
  let inside = pixel.valid & (pixel.row + shape.padding >= ky) & (y < i32(shape.outHeight)) & (pixel.column + shape.padding >= kx) &
    (x < i32(shape.outWidth));
  return select(-1, ((i32(pixel.image * shape.outHeight) + y) * i32(shape.outWidth) + x) * i32(shape.outChannels / 4u), inside);
}

fn load(start: i32, channel: u32) -> vec4f {
  return select(vec4f(), texel(outputGradient, u32(max(start, 0)) + channel), start >= 0);
}

// Four output channels (columns) × four input channels; channels beyond the last repeat it and are not stored.
fn weights(start: u32, channel: u32) -> mat4x4f {
  let row = shape.outChannels / 4u;
  let i = start + 4u * min(channel, shape.inChannels / 4u - 1u) * row;
  return transpose(mat4x4f(texel(weight, i), texel(weight, i + row), texel(weight, i + 2u * row), texel(weight, i + 3u * row)));
}

// sum + w · x, in fused steps.
fn multiplyAdd(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

fn store(pixel: Pixel, channel: u32, value: vec4f) {
  if (!pixel.valid) {
    return;
  }
  let i = ((pixel.image * shape.height + pixel.row) * shape.width + pixel.column) * (shape.inChannels / 4u) + channel;
  if (accumulate) {
    inputGradient[i] += value;
  } else {
    inputGradient[i] = value;
  }
}

// One of four values.
fn pick(k: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> vec4f {
  return select(select(d, c, k == 2u), select(b, a, k == 0u), k < 2u);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let channelTiles = (shape.inChannels / 4u + 3u) / 4u;
  let channel = i % channelTiles * 4u;
  let images = arrayLength(&inputGradient) / (shape.height * shape.width * (shape.inChannels / 4u));
  // Number of images with the same weights; their pixels are numbered together.
  let together = images / weightSets;
  let phasePixels = together * ((shape.height + stride - 1u) / stride) * ((shape.width + stride - 1u) / stride);
  let phaseTiles = (phasePixels + 15u) / 16u;
  let phase = i / channelTiles / phaseTiles % (stride * stride);
  let weightSet = i / channelTiles / phaseTiles / (stride * stride);
  let number = i / channelTiles % phaseTiles * 16u;
  if (weightSet >= weightSets) {
    return;
  }
  let pixel0 = pixelOf(number + 0u, phase, phasePixels, weightSet * together);
  let pixel1 = pixelOf(number + 1u, phase, phasePixels, weightSet * together);
  let pixel2 = pixelOf(number + 2u, phase, phasePixels, weightSet * together);
  let pixel3 = pixelOf(number + 3u, phase, phasePixels, weightSet * together);
  let pixel4 = pixelOf(number + 4u, phase, phasePixels, weightSet * together);
  let pixel5 = pixelOf(number + 5u, phase, phasePixels, weightSet * together);
  let pixel6 = pixelOf(number + 6u, phase, phasePixels, weightSet * together);
  let pixel7 = pixelOf(number + 7u, phase, phasePixels, weightSet * together);
  let pixel8 = pixelOf(number + 8u, phase, phasePixels, weightSet * together);
  let pixel9 = pixelOf(number + 9u, phase, phasePixels, weightSet * together);
  let pixel10 = pixelOf(number + 10u, phase, phasePixels, weightSet * together);
  let pixel11 = pixelOf(number + 11u, phase, phasePixels, weightSet * together);
  let pixel12 = pixelOf(number + 12u, phase, phasePixels, weightSet * together);
  let pixel13 = pixelOf(number + 13u, phase, phasePixels, weightSet * together);
  let pixel14 = pixelOf(number + 14u, phase, phasePixels, weightSet * together);
  let pixel15 = pixelOf(number + 15u, phase, phasePixels, weightSet * together);
  var sum0_0 = vec4f(); var sum0_1 = vec4f(); var sum0_2 = vec4f(); var sum0_3 = vec4f();
  var sum1_0 = vec4f(); var sum1_1 = vec4f(); var sum1_2 = vec4f(); var sum1_3 = vec4f();
  var sum2_0 = vec4f(); var sum2_1 = vec4f(); var sum2_2 = vec4f(); var sum2_3 = vec4f();
  var sum3_0 = vec4f(); var sum3_1 = vec4f(); var sum3_2 = vec4f(); var sum3_3 = vec4f();
  var sum4_0 = vec4f(); var sum4_1 = vec4f(); var sum4_2 = vec4f(); var sum4_3 = vec4f();
  var sum5_0 = vec4f(); var sum5_1 = vec4f(); var sum5_2 = vec4f(); var sum5_3 = vec4f();
  var sum6_0 = vec4f(); var sum6_1 = vec4f(); var sum6_2 = vec4f(); var sum6_3 = vec4f();
  var sum7_0 = vec4f(); var sum7_1 = vec4f(); var sum7_2 = vec4f(); var sum7_3 = vec4f();
  var sum8_0 = vec4f(); var sum8_1 = vec4f(); var sum8_2 = vec4f(); var sum8_3 = vec4f();
  var sum9_0 = vec4f(); var sum9_1 = vec4f(); var sum9_2 = vec4f(); var sum9_3 = vec4f();
  var sum10_0 = vec4f(); var sum10_1 = vec4f(); var sum10_2 = vec4f(); var sum10_3 = vec4f();
  var sum11_0 = vec4f(); var sum11_1 = vec4f(); var sum11_2 = vec4f(); var sum11_3 = vec4f();
  var sum12_0 = vec4f(); var sum12_1 = vec4f(); var sum12_2 = vec4f(); var sum12_3 = vec4f();
  var sum13_0 = vec4f(); var sum13_1 = vec4f(); var sum13_2 = vec4f(); var sum13_3 = vec4f();
  var sum14_0 = vec4f(); var sum14_1 = vec4f(); var sum14_2 = vec4f(); var sum14_3 = vec4f();
  var sum15_0 = vec4f(); var sum15_1 = vec4f(); var sum15_2 = vec4f(); var sum15_3 = vec4f();
  for (var ky = (phase / stride + shape.padding) % stride; ky < shape.kernel; ky += stride) {
    for (var kx = (phase % stride + shape.padding) % stride; kx < shape.kernel; kx += stride) {
      let start0 = tap(pixel0, ky, kx); let start1 = tap(pixel1, ky, kx);
      let start2 = tap(pixel2, ky, kx); let start3 = tap(pixel3, ky, kx);
      let start4 = tap(pixel4, ky, kx); let start5 = tap(pixel5, ky, kx);
      let start6 = tap(pixel6, ky, kx); let start7 = tap(pixel7, ky, kx);
      let start8 = tap(pixel8, ky, kx); let start9 = tap(pixel9, ky, kx);
      let start10 = tap(pixel10, ky, kx); let start11 = tap(pixel11, ky, kx);
      let start12 = tap(pixel12, ky, kx); let start13 = tap(pixel13, ky, kx);
      let start14 = tap(pixel14, ky, kx); let start15 = tap(pixel15, ky, kx);
      let tapWeights = ((weightSet * shape.kernel + ky) * shape.kernel + kx) * shape.inChannels * (shape.outChannels / 4u);
      for (var o = 0u; o < shape.outChannels / 4u; o++) {
        let w0 = weights(tapWeights + o, channel + 0u);
        let w1 = weights(tapWeights + o, channel + 1u);
        let w2 = weights(tapWeights + o, channel + 2u);
        let w3 = weights(tapWeights + o, channel + 3u);
        // All loads before all sums: on Mesa 25 each load calls a function, and nothing stays in registers across the call.
        let d0 = load(start0, o); let d1 = load(start1, o); let d2 = load(start2, o); let d3 = load(start3, o);
        let d4 = load(start4, o); let d5 = load(start5, o); let d6 = load(start6, o); let d7 = load(start7, o);
        let d8 = load(start8, o); let d9 = load(start9, o); let d10 = load(start10, o); let d11 = load(start11, o);
        let d12 = load(start12, o); let d13 = load(start13, o); let d14 = load(start14, o); let d15 = load(start15, o);
        sum0_0 = multiplyAdd(w0, d0, sum0_0); sum0_1 = multiplyAdd(w1, d0, sum0_1);
        sum0_2 = multiplyAdd(w2, d0, sum0_2); sum0_3 = multiplyAdd(w3, d0, sum0_3);
        sum1_0 = multiplyAdd(w0, d1, sum1_0); sum1_1 = multiplyAdd(w1, d1, sum1_1);
        sum1_2 = multiplyAdd(w2, d1, sum1_2); sum1_3 = multiplyAdd(w3, d1, sum1_3);
        sum2_0 = multiplyAdd(w0, d2, sum2_0); sum2_1 = multiplyAdd(w1, d2, sum2_1);
        sum2_2 = multiplyAdd(w2, d2, sum2_2); sum2_3 = multiplyAdd(w3, d2, sum2_3);
        sum3_0 = multiplyAdd(w0, d3, sum3_0); sum3_1 = multiplyAdd(w1, d3, sum3_1);
        sum3_2 = multiplyAdd(w2, d3, sum3_2); sum3_3 = multiplyAdd(w3, d3, sum3_3);
        sum4_0 = multiplyAdd(w0, d4, sum4_0); sum4_1 = multiplyAdd(w1, d4, sum4_1);
        sum4_2 = multiplyAdd(w2, d4, sum4_2); sum4_3 = multiplyAdd(w3, d4, sum4_3);
        sum5_0 = multiplyAdd(w0, d5, sum5_0); sum5_1 = multiplyAdd(w1, d5, sum5_1);
        sum5_2 = multiplyAdd(w2, d5, sum5_2); sum5_3 = multiplyAdd(w3, d5, sum5_3);
        sum6_0 = multiplyAdd(w0, d6, sum6_0); sum6_1 = multiplyAdd(w1, d6, sum6_1);
        sum6_2 = multiplyAdd(w2, d6, sum6_2); sum6_3 = multiplyAdd(w3, d6, sum6_3);
        sum7_0 = multiplyAdd(w0, d7, sum7_0); sum7_1 = multiplyAdd(w1, d7, sum7_1);
        sum7_2 = multiplyAdd(w2, d7, sum7_2); sum7_3 = multiplyAdd(w3, d7, sum7_3);
        sum8_0 = multiplyAdd(w0, d8, sum8_0); sum8_1 = multiplyAdd(w1, d8, sum8_1);
        sum8_2 = multiplyAdd(w2, d8, sum8_2); sum8_3 = multiplyAdd(w3, d8, sum8_3);
        sum9_0 = multiplyAdd(w0, d9, sum9_0); sum9_1 = multiplyAdd(w1, d9, sum9_1);
        sum9_2 = multiplyAdd(w2, d9, sum9_2); sum9_3 = multiplyAdd(w3, d9, sum9_3);
        sum10_0 = multiplyAdd(w0, d10, sum10_0); sum10_1 = multiplyAdd(w1, d10, sum10_1);
        sum10_2 = multiplyAdd(w2, d10, sum10_2); sum10_3 = multiplyAdd(w3, d10, sum10_3);
        sum11_0 = multiplyAdd(w0, d11, sum11_0); sum11_1 = multiplyAdd(w1, d11, sum11_1);
        sum11_2 = multiplyAdd(w2, d11, sum11_2); sum11_3 = multiplyAdd(w3, d11, sum11_3);
        sum12_0 = multiplyAdd(w0, d12, sum12_0); sum12_1 = multiplyAdd(w1, d12, sum12_1);
        sum12_2 = multiplyAdd(w2, d12, sum12_2); sum12_3 = multiplyAdd(w3, d12, sum12_3);
        sum13_0 = multiplyAdd(w0, d13, sum13_0); sum13_1 = multiplyAdd(w1, d13, sum13_1);
        sum13_2 = multiplyAdd(w2, d13, sum13_2); sum13_3 = multiplyAdd(w3, d13, sum13_3);
        sum14_0 = multiplyAdd(w0, d14, sum14_0); sum14_1 = multiplyAdd(w1, d14, sum14_1);
        sum14_2 = multiplyAdd(w2, d14, sum14_2); sum14_3 = multiplyAdd(w3, d14, sum14_3);
        sum15_0 = multiplyAdd(w0, d15, sum15_0); sum15_1 = multiplyAdd(w1, d15, sum15_1);
        sum15_2 = multiplyAdd(w2, d15, sum15_2); sum15_3 = multiplyAdd(w3, d15, sum15_3);
      }
    }
  }
  for (var k = 0u; k < min(4u, shape.inChannels / 4u - channel); k++) {
    store(pixel0, channel + k, pick(k, sum0_0, sum0_1, sum0_2, sum0_3));
    store(pixel1, channel + k, pick(k, sum1_0, sum1_1, sum1_2, sum1_3));
    store(pixel2, channel + k, pick(k, sum2_0, sum2_1, sum2_2, sum2_3));
    store(pixel3, channel + k, pick(k, sum3_0, sum3_1, sum3_2, sum3_3));
    store(pixel4, channel + k, pick(k, sum4_0, sum4_1, sum4_2, sum4_3));
    store(pixel5, channel + k, pick(k, sum5_0, sum5_1, sum5_2, sum5_3));
    store(pixel6, channel + k, pick(k, sum6_0, sum6_1, sum6_2, sum6_3));
    store(pixel7, channel + k, pick(k, sum7_0, sum7_1, sum7_2, sum7_3));
    store(pixel8, channel + k, pick(k, sum8_0, sum8_1, sum8_2, sum8_3));
    store(pixel9, channel + k, pick(k, sum9_0, sum9_1, sum9_2, sum9_3));
    store(pixel10, channel + k, pick(k, sum10_0, sum10_1, sum10_2, sum10_3));
    store(pixel11, channel + k, pick(k, sum11_0, sum11_1, sum11_2, sum11_3));
    store(pixel12, channel + k, pick(k, sum12_0, sum12_1, sum12_2, sum12_3));
    store(pixel13, channel + k, pick(k, sum13_0, sum13_1, sum13_2, sum13_3));
    store(pixel14, channel + k, pick(k, sum14_0, sum14_1, sum14_2, sum14_3));
    store(pixel15, channel + k, pick(k, sum15_0, sum15_1, sum15_2, sum15_3));
  }
}
