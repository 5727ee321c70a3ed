// output[n, y, x, o] = bias[o] + Σ_ky,kx,c input[n, y·stride + ky − padding, x·stride + kx − padding, c] · weight[ky, kx, c, o]
//
// input   [N, height, width, inChannels]                    float32, inChannels a multiple of 4
// weight  [kernel, kernel, inChannels, outChannels]         float32, outChannels a multiple of 4
// bias    [outChannels]
// output  [N, outHeight, outWidth, outChannels]             N follows from its length
//
// Operands are read through textures, see conv2d_patch_texture.
//
// An invocation computes 16 pixels × 16 channels in named registers. Pixels are numbered over (n, y, x), so narrow
// images fill a tile as well as wide ones. Neighbouring invocations share the pixels and differ in channels. On
// lavapipe a load costs as much as many multiply-adds, hence the large tile and no workgroup memory.

struct Shape {
  height: u32,
  width: u32,
  outHeight: u32,
  outWidth: u32,
  inChannels: u32,
  outChannels: u32,
  kernel: u32,
  stride: u32,
  padding: u32,
}

// vec4h in variants in half precision.
alias Output = vec4f;

@group(0) @binding(0) var input: texture_2d<f32>;
@group(0) @binding(1) var weight: texture_2d<f32>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<Output>;
@group(0) @binding(8) var<uniform> shape: Shape;

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

// Where an output pixel's window begins: its image, then the input row and column of its first tap.
struct Window {
  image: u32,
  row: i32,
  column: i32,
}

fn windowOf(pixel: u32) -> Window {
  let row = pixel / shape.outWidth;
  return Window(
    row / shape.outHeight,
    i32(row % shape.outHeight * shape.stride) - i32(shape.padding),
    i32(pixel % shape.outWidth * shape.stride) - i32(shape.padding),
  );
}

// Index of the first channels of the tap (ky, kx), or −1 in the padding.
fn tap(window: Window, ky: u32, kx: u32) -> i32 {
  let y = window.row + i32(ky);
  let x = window.column + i32(kx);
  // Bits rather than branches: SwiftShader would take minutes to compile the branches. A negative number is a large one.
  let inside = (u32(y) < shape.height) & (u32(x) < shape.width);
  return select(-1, ((i32(window.image * shape.height) + y) * i32(shape.width) + x) * i32(shape.inChannels / 4u), inside);
}

fn load(start: i32, channel: u32) -> vec4f {
  return select(vec4f(), texel(input, u32(max(start, 0)) + channel), start >= 0);
}

// Four input channels × four output channels; channels beyond the last repeat it and are not stored.
fn weights(start: u32, channel: u32) -> mat4x4f {
  let row = shape.outChannels / 4u;
  let i = start + min(channel, row - 1u);
  return mat4x4f(texel(weight, i), texel(weight, i + row), texel(weight, i + 2u * row), texel(weight, i + 3u * row));
}

// sum + w · x, in fused steps.
fn multiplyAdd(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

fn store(pixel: u32, channel: u32, value: vec4f) {
  let row = shape.outChannels / 4u;
  if (pixel < arrayLength(&output) / row) {
    output[pixel * row + channel] = Output(value);
  }
}

// One of four values.
fn pick(k: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> vec4f {
  return select(select(d, c, k == 2u), select(b, a, k == 0u), k < 2u);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let outRow = shape.outChannels / 4u;
  let channelTiles = (outRow + 3u) / 4u;
  let channel = i % channelTiles * 4u;
  let pixel = i / channelTiles * 16u;
  let last = arrayLength(&output) / outRow - 1u;
  if (pixel > last) {
    return;
  }
  let window0 = windowOf(min(pixel + 0u, last)); let window1 = windowOf(min(pixel + 1u, last));
  let window2 = windowOf(min(pixel + 2u, last)); let window3 = windowOf(min(pixel + 3u, last));
  let window4 = windowOf(min(pixel + 4u, last)); let window5 = windowOf(min(pixel + 5u, last));
  let window6 = windowOf(min(pixel + 6u, last)); let window7 = windowOf(min(pixel + 7u, last));
  let window8 = windowOf(min(pixel + 8u, last)); let window9 = windowOf(min(pixel + 9u, last));
  let window10 = windowOf(min(pixel + 10u, last)); let window11 = windowOf(min(pixel + 11u, last));
  let window12 = windowOf(min(pixel + 12u, last)); let window13 = windowOf(min(pixel + 13u, last));
  let window14 = windowOf(min(pixel + 14u, last)); let window15 = windowOf(min(pixel + 15u, last));
  let bias0 = bias[min(channel + 0u, outRow - 1u)];
  let bias1 = bias[min(channel + 1u, outRow - 1u)];
  let bias2 = bias[min(channel + 2u, outRow - 1u)];
  let bias3 = bias[min(channel + 3u, outRow - 1u)];
  var sum0_0 = bias0; var sum0_1 = bias1; var sum0_2 = bias2; var sum0_3 = bias3;
  var sum1_0 = bias0; var sum1_1 = bias1; var sum1_2 = bias2; var sum1_3 = bias3;
  var sum2_0 = bias0; var sum2_1 = bias1; var sum2_2 = bias2; var sum2_3 = bias3;
  var sum3_0 = bias0; var sum3_1 = bias1; var sum3_2 = bias2; var sum3_3 = bias3;
  var sum4_0 = bias0; var sum4_1 = bias1; var sum4_2 = bias2; var sum4_3 = bias3;
  var sum5_0 = bias0; var sum5_1 = bias1; var sum5_2 = bias2; var sum5_3 = bias3;
  var sum6_0 = bias0; var sum6_1 = bias1; var sum6_2 = bias2; var sum6_3 = bias3;
  var sum7_0 = bias0; var sum7_1 = bias1; var sum7_2 = bias2; var sum7_3 = bias3;
  var sum8_0 = bias0; var sum8_1 = bias1; var sum8_2 = bias2; var sum8_3 = bias3;
  var sum9_0 = bias0; var sum9_1 = bias1; var sum9_2 = bias2; var sum9_3 = bias3;
  var sum10_0 = bias0; var sum10_1 = bias1; var sum10_2 = bias2; var sum10_3 = bias3;
  var sum11_0 = bias0; var sum11_1 = bias1; var sum11_2 = bias2; var sum11_3 = bias3;
  var sum12_0 = bias0; var sum12_1 = bias1; var sum12_2 = bias2; var sum12_3 = bias3;
  var sum13_0 = bias0; var sum13_1 = bias1; var sum13_2 = bias2; var sum13_3 = bias3;
  var sum14_0 = bias0; var sum14_1 = bias1; var sum14_2 = bias2; var sum14_3 = bias3;
  var sum15_0 = bias0; var sum15_1 = bias1; var sum15_2 = bias2; var sum15_3 = bias3;
  for (var ky = 0u; ky < shape.kernel; ky++) {
    for (var kx = 0u; kx < shape.kernel; kx++) {
      let start0 = tap(window0, ky, kx); let start1 = tap(window1, ky, kx);
      let start2 = tap(window2, ky, kx); let start3 = tap(window3, ky, kx);
      let start4 = tap(window4, ky, kx); let start5 = tap(window5, ky, kx);
      let start6 = tap(window6, ky, kx); let start7 = tap(window7, ky, kx);
      let start8 = tap(window8, ky, kx); let start9 = tap(window9, ky, kx);
      let start10 = tap(window10, ky, kx); let start11 = tap(window11, ky, kx);
      let start12 = tap(window12, ky, kx); let start13 = tap(window13, ky, kx);
      let start14 = tap(window14, ky, kx); let start15 = tap(window15, ky, kx);
      let tapWeights = (ky * shape.kernel + kx) * shape.inChannels * outRow;
      for (var c = 0u; c < shape.inChannels / 4u; c++) {
        let w0 = weights(tapWeights + 4u * c * outRow, channel + 0u);
        let w1 = weights(tapWeights + 4u * c * outRow, channel + 1u);
        let w2 = weights(tapWeights + 4u * c * outRow, channel + 2u);
        let w3 = weights(tapWeights + 4u * c * outRow, channel + 3u);
        // All loads before all sums: on Mesa 25 each load calls a function, and nothing stays in registers across the call.
        let x0 = load(start0, c); let x1 = load(start1, c); let x2 = load(start2, c); let x3 = load(start3, c);
        let x4 = load(start4, c); let x5 = load(start5, c); let x6 = load(start6, c); let x7 = load(start7, c);
        let x8 = load(start8, c); let x9 = load(start9, c); let x10 = load(start10, c); let x11 = load(start11, c);
        let x12 = load(start12, c); let x13 = load(start13, c); let x14 = load(start14, c); let x15 = load(start15, c);
        sum0_0 = multiplyAdd(w0, x0, sum0_0); sum0_1 = multiplyAdd(w1, x0, sum0_1);
        sum0_2 = multiplyAdd(w2, x0, sum0_2); sum0_3 = multiplyAdd(w3, x0, sum0_3);
        sum1_0 = multiplyAdd(w0, x1, sum1_0); sum1_1 = multiplyAdd(w1, x1, sum1_1);
        sum1_2 = multiplyAdd(w2, x1, sum1_2); sum1_3 = multiplyAdd(w3, x1, sum1_3);
        sum2_0 = multiplyAdd(w0, x2, sum2_0); sum2_1 = multiplyAdd(w1, x2, sum2_1);
        sum2_2 = multiplyAdd(w2, x2, sum2_2); sum2_3 = multiplyAdd(w3, x2, sum2_3);
        sum3_0 = multiplyAdd(w0, x3, sum3_0); sum3_1 = multiplyAdd(w1, x3, sum3_1);
        sum3_2 = multiplyAdd(w2, x3, sum3_2); sum3_3 = multiplyAdd(w3, x3, sum3_3);
        sum4_0 = multiplyAdd(w0, x4, sum4_0); sum4_1 = multiplyAdd(w1, x4, sum4_1);
        sum4_2 = multiplyAdd(w2, x4, sum4_2); sum4_3 = multiplyAdd(w3, x4, sum4_3);
        sum5_0 = multiplyAdd(w0, x5, sum5_0); sum5_1 = multiplyAdd(w1, x5, sum5_1);
        sum5_2 = multiplyAdd(w2, x5, sum5_2); sum5_3 = multiplyAdd(w3, x5, sum5_3);
        sum6_0 = multiplyAdd(w0, x6, sum6_0); sum6_1 = multiplyAdd(w1, x6, sum6_1);
        sum6_2 = multiplyAdd(w2, x6, sum6_2); sum6_3 = multiplyAdd(w3, x6, sum6_3);
        sum7_0 = multiplyAdd(w0, x7, sum7_0); sum7_1 = multiplyAdd(w1, x7, sum7_1);
        sum7_2 = multiplyAdd(w2, x7, sum7_2); sum7_3 = multiplyAdd(w3, x7, sum7_3);
        sum8_0 = multiplyAdd(w0, x8, sum8_0); sum8_1 = multiplyAdd(w1, x8, sum8_1);
        sum8_2 = multiplyAdd(w2, x8, sum8_2); sum8_3 = multiplyAdd(w3, x8, sum8_3);
        sum9_0 = multiplyAdd(w0, x9, sum9_0); sum9_1 = multiplyAdd(w1, x9, sum9_1);
        sum9_2 = multiplyAdd(w2, x9, sum9_2); sum9_3 = multiplyAdd(w3, x9, sum9_3);
        sum10_0 = multiplyAdd(w0, x10, sum10_0); sum10_1 = multiplyAdd(w1, x10, sum10_1);
        sum10_2 = multiplyAdd(w2, x10, sum10_2); sum10_3 = multiplyAdd(w3, x10, sum10_3);
        sum11_0 = multiplyAdd(w0, x11, sum11_0); sum11_1 = multiplyAdd(w1, x11, sum11_1);
        sum11_2 = multiplyAdd(w2, x11, sum11_2); sum11_3 = multiplyAdd(w3, x11, sum11_3);
        sum12_0 = multiplyAdd(w0, x12, sum12_0); sum12_1 = multiplyAdd(w1, x12, sum12_1);
        sum12_2 = multiplyAdd(w2, x12, sum12_2); sum12_3 = multiplyAdd(w3, x12, sum12_3);
        sum13_0 = multiplyAdd(w0, x13, sum13_0); sum13_1 = multiplyAdd(w1, x13, sum13_1);
        sum13_2 = multiplyAdd(w2, x13, sum13_2); sum13_3 = multiplyAdd(w3, x13, sum13_3);
        sum14_0 = multiplyAdd(w0, x14, sum14_0); sum14_1 = multiplyAdd(w1, x14, sum14_1);
        sum14_2 = multiplyAdd(w2, x14, sum14_2); sum14_3 = multiplyAdd(w3, x14, sum14_3);
        sum15_0 = multiplyAdd(w0, x15, sum15_0); sum15_1 = multiplyAdd(w1, x15, sum15_1);
        sum15_2 = multiplyAdd(w2, x15, sum15_2); sum15_3 = multiplyAdd(w3, x15, sum15_3);
      }
    }
  }
  for (var k = 0u; k < min(4u, outRow - channel); k++) {
    store(pixel + 0u, channel + k, pick(k, sum0_0, sum0_1, sum0_2, sum0_3));
    store(pixel + 1u, channel + k, pick(k, sum1_0, sum1_1, sum1_2, sum1_3));
    store(pixel + 2u, channel + k, pick(k, sum2_0, sum2_1, sum2_2, sum2_3));
    store(pixel + 3u, channel + k, pick(k, sum3_0, sum3_1, sum3_2, sum3_3));
    store(pixel + 4u, channel + k, pick(k, sum4_0, sum4_1, sum4_2, sum4_3));
    store(pixel + 5u, channel + k, pick(k, sum5_0, sum5_1, sum5_2, sum5_3));
    store(pixel + 6u, channel + k, pick(k, sum6_0, sum6_1, sum6_2, sum6_3));
    store(pixel + 7u, channel + k, pick(k, sum7_0, sum7_1, sum7_2, sum7_3));
    store(pixel + 8u, channel + k, pick(k, sum8_0, sum8_1, sum8_2, sum8_3));
    store(pixel + 9u, channel + k, pick(k, sum9_0, sum9_1, sum9_2, sum9_3));
    store(pixel + 10u, channel + k, pick(k, sum10_0, sum10_1, sum10_2, sum10_3));
    store(pixel + 11u, channel + k, pick(k, sum11_0, sum11_1, sum11_2, sum11_3));
    store(pixel + 12u, channel + k, pick(k, sum12_0, sum12_1, sum12_2, sum12_3));
    store(pixel + 13u, channel + k, pick(k, sum13_0, sum13_1, sum13_2, sum13_3));
    store(pixel + 14u, channel + k, pick(k, sum14_0, sum14_1, sum14_2, sum14_3));
    store(pixel + 15u, channel + k, pick(k, sum15_0, sum15_1, sum15_2, sum15_3));
  }
}
