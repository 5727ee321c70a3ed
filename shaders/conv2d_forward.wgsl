// output[n, y, x, o] = bias[o] + Σ_ky,kx,c input[n, y·stride + ky − padding, x·stride + kx − padding, c] · weight[ky, kx, c, o]
//
// input   [N, height, width, inChannels]                    float32, inChannels a multiple of 4
// weight  [kernel, kernel, inChannels, outChannels]         float32, outChannels a multiple of 4
// bias    [outChannels]
// output  [N, outHeight, outWidth, outChannels]             N follows from its length
//
// An invocation computes 8 pixels × 16 channels in named registers: pixels are numbered over (n, y, x), so narrow images
// fill a tile as well as wide ones. Neighbouring invocations share the pixels and differ in channels. On a software
// adapter a load costs as much as 30 to 60 multiply-adds, hence the large tile and no workgroup memory.

override height: u32 = 8u;
override width: u32 = 8u;
override outHeight: u32 = 8u;
override outWidth: u32 = 8u;
override inChannels: u32 = 16u;
override outChannels: u32 = 16u;
override kernel: u32 = 3u;
override stride: u32 = 1u;
override padding: u32 = 1u;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;

// Where an output pixel's window begins: image, then the input row and column of its first tap.
struct Window {
  image: u32,
  row: i32,
  column: i32,
}

fn windowOf(pixel: u32) -> Window {
  let row = pixel / outWidth;
  return Window(
    row / outHeight,
    i32(row % outHeight * stride) - i32(padding),
    i32(pixel % outWidth * stride) - i32(padding),
  );
}

// Index of the first channels of the tap (ky, kx), or −1 in the padding.
fn tap(window: Window, ky: u32, kx: u32) -> i32 {
  let y = window.row + i32(ky);
  let x = window.column + i32(kx);
  let inside = y >= 0 && y < i32(height) && x >= 0 && x < i32(width);
  return select(-1, ((i32(window.image * height) + y) * i32(width) + x) * i32(inChannels / 4u), inside);
}

fn load(start: i32, channel: u32) -> vec4f {
  return select(vec4f(), input[u32(max(start, 0)) + channel], start >= 0);
}

// Four input channels × four output channels; channels beyond the last repeat it and are not stored.
fn weights(start: u32, channel: u32) -> mat4x4f {
  let row = outChannels / 4u;
  let i = start + min(channel, row - 1u);
  return mat4x4f(weight[i], weight[i + row], weight[i + 2u * row], weight[i + 3u * row]);
}

// sum + w · x, in fused steps.
fn multiplyAdd(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

fn store(pixel: u32, channel: u32, value: vec4f) {
  let row = outChannels / 4u;
  if (channel < row && pixel < arrayLength(&output) / row) {
    output[pixel * row + channel] = value;
  }
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let outRow = outChannels / 4u;
  let channelTiles = (outRow + 3u) / 4u;
  let channel = i % channelTiles * 4u;
  let pixel = i / channelTiles * 8u;
  let last = arrayLength(&output) / outRow - 1u;
  if (pixel > last) {
    return;
  }
  let window0 = windowOf(min(pixel + 0u, last));
  let window1 = windowOf(min(pixel + 1u, last));
  let window2 = windowOf(min(pixel + 2u, last));
  let window3 = windowOf(min(pixel + 3u, last));
  let window4 = windowOf(min(pixel + 4u, last));
  let window5 = windowOf(min(pixel + 5u, last));
  let window6 = windowOf(min(pixel + 6u, last));
  let window7 = windowOf(min(pixel + 7u, last));
  let bias0 = bias[min(channel + 0u, outRow - 1u)];
  let bias1 = bias[min(channel + 1u, outRow - 1u)];
  let bias2 = bias[min(channel + 2u, outRow - 1u)];
  let bias3 = bias[min(channel + 3u, outRow - 1u)];
  var sum00 = bias0;
  var sum01 = bias1;
  var sum02 = bias2;
  var sum03 = bias3;
  var sum10 = bias0;
  var sum11 = bias1;
  var sum12 = bias2;
  var sum13 = bias3;
  var sum20 = bias0;
  var sum21 = bias1;
  var sum22 = bias2;
  var sum23 = bias3;
  var sum30 = bias0;
  var sum31 = bias1;
  var sum32 = bias2;
  var sum33 = bias3;
  var sum40 = bias0;
  var sum41 = bias1;
  var sum42 = bias2;
  var sum43 = bias3;
  var sum50 = bias0;
  var sum51 = bias1;
  var sum52 = bias2;
  var sum53 = bias3;
  var sum60 = bias0;
  var sum61 = bias1;
  var sum62 = bias2;
  var sum63 = bias3;
  var sum70 = bias0;
  var sum71 = bias1;
  var sum72 = bias2;
  var sum73 = bias3;
  for (var ky = 0u; ky < kernel; ky++) {
    for (var kx = 0u; kx < kernel; kx++) {
      let start0 = tap(window0, ky, kx);
      let start1 = tap(window1, ky, kx);
      let start2 = tap(window2, ky, kx);
      let start3 = tap(window3, ky, kx);
      let start4 = tap(window4, ky, kx);
      let start5 = tap(window5, ky, kx);
      let start6 = tap(window6, ky, kx);
      let start7 = tap(window7, ky, kx);
      let tapWeights = (ky * kernel + kx) * inChannels * outRow;
      for (var c = 0u; c < inChannels / 4u; c++) {
        let w0 = weights(tapWeights + 4u * c * outRow, channel + 0u);
        let w1 = weights(tapWeights + 4u * c * outRow, channel + 1u);
        let w2 = weights(tapWeights + 4u * c * outRow, channel + 2u);
        let w3 = weights(tapWeights + 4u * c * outRow, channel + 3u);
        let x0 = load(start0, c);
        sum00 = multiplyAdd(w0, x0, sum00);
        sum01 = multiplyAdd(w1, x0, sum01);
        sum02 = multiplyAdd(w2, x0, sum02);
        sum03 = multiplyAdd(w3, x0, sum03);
        let x1 = load(start1, c);
        sum10 = multiplyAdd(w0, x1, sum10);
        sum11 = multiplyAdd(w1, x1, sum11);
        sum12 = multiplyAdd(w2, x1, sum12);
        sum13 = multiplyAdd(w3, x1, sum13);
        let x2 = load(start2, c);
        sum20 = multiplyAdd(w0, x2, sum20);
        sum21 = multiplyAdd(w1, x2, sum21);
        sum22 = multiplyAdd(w2, x2, sum22);
        sum23 = multiplyAdd(w3, x2, sum23);
        let x3 = load(start3, c);
        sum30 = multiplyAdd(w0, x3, sum30);
        sum31 = multiplyAdd(w1, x3, sum31);
        sum32 = multiplyAdd(w2, x3, sum32);
        sum33 = multiplyAdd(w3, x3, sum33);
        let x4 = load(start4, c);
        sum40 = multiplyAdd(w0, x4, sum40);
        sum41 = multiplyAdd(w1, x4, sum41);
        sum42 = multiplyAdd(w2, x4, sum42);
        sum43 = multiplyAdd(w3, x4, sum43);
        let x5 = load(start5, c);
        sum50 = multiplyAdd(w0, x5, sum50);
        sum51 = multiplyAdd(w1, x5, sum51);
        sum52 = multiplyAdd(w2, x5, sum52);
        sum53 = multiplyAdd(w3, x5, sum53);
        let x6 = load(start6, c);
        sum60 = multiplyAdd(w0, x6, sum60);
        sum61 = multiplyAdd(w1, x6, sum61);
        sum62 = multiplyAdd(w2, x6, sum62);
        sum63 = multiplyAdd(w3, x6, sum63);
        let x7 = load(start7, c);
        sum70 = multiplyAdd(w0, x7, sum70);
        sum71 = multiplyAdd(w1, x7, sum71);
        sum72 = multiplyAdd(w2, x7, sum72);
        sum73 = multiplyAdd(w3, x7, sum73);
      }
    }
  }
  store(pixel + 0u, channel + 0u, sum00);
  store(pixel + 0u, channel + 1u, sum01);
  store(pixel + 0u, channel + 2u, sum02);
  store(pixel + 0u, channel + 3u, sum03);
  store(pixel + 1u, channel + 0u, sum10);
  store(pixel + 1u, channel + 1u, sum11);
  store(pixel + 1u, channel + 2u, sum12);
  store(pixel + 1u, channel + 3u, sum13);
  store(pixel + 2u, channel + 0u, sum20);
  store(pixel + 2u, channel + 1u, sum21);
  store(pixel + 2u, channel + 2u, sum22);
  store(pixel + 2u, channel + 3u, sum23);
  store(pixel + 3u, channel + 0u, sum30);
  store(pixel + 3u, channel + 1u, sum31);
  store(pixel + 3u, channel + 2u, sum32);
  store(pixel + 3u, channel + 3u, sum33);
  store(pixel + 4u, channel + 0u, sum40);
  store(pixel + 4u, channel + 1u, sum41);
  store(pixel + 4u, channel + 2u, sum42);
  store(pixel + 4u, channel + 3u, sum43);
  store(pixel + 5u, channel + 0u, sum50);
  store(pixel + 5u, channel + 1u, sum51);
  store(pixel + 5u, channel + 2u, sum52);
  store(pixel + 5u, channel + 3u, sum53);
  store(pixel + 6u, channel + 0u, sum60);
  store(pixel + 6u, channel + 1u, sum61);
  store(pixel + 6u, channel + 2u, sum62);
  store(pixel + 6u, channel + 3u, sum63);
  store(pixel + 7u, channel + 0u, sum70);
  store(pixel + 7u, channel + 1u, sum71);
  store(pixel + 7u, channel + 2u, sum72);
  store(pixel + 7u, channel + 3u, sum73);
}
