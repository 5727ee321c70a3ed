// output[n, y, x, o] = bias[o] + Σ_ky,kx,c input[n, y·stride + ky − padding, x·stride + kx − padding, c] · weight[ky, kx, c, o]
//
// As conv2d_forward, for any number of input channels: values are loaded one at a time.
//
// input   [N, height, width, inChannels]                    float32
// weight  [kernel, kernel, inChannels, outChannels]         outChannels a multiple of 4
// bias    [outChannels]
// output  [N, outHeight, outWidth, outChannels]             N follows from its length
//
// An invocation computes 8 neighbouring pixels (numbered over n, y, x) × 16 channels.

override height: u32 = 8u;
override width: u32 = 8u;
override outHeight: u32 = 8u;
override outWidth: u32 = 8u;
override inChannels: u32 = 16u;
override outChannels: u32 = 16u;
override kernel: u32 = 3u;
override stride: u32 = 1u;
override padding: u32 = 1u;

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;

// Index of the first channel that the tap (ky, kx) of an output pixel meets, or −1 in the padding.
fn tap(pixel: u32, ky: u32, kx: u32) -> i32 {
  let row = pixel / outWidth;
  let y = i32(row % outHeight * stride + ky) - i32(padding);
  let x = i32(pixel % outWidth * stride + kx) - i32(padding);
  // Bits rather than branches: SwiftShader takes minutes to compile so many branches. A negative number is a large one.
  let inside = (u32(y) < height) & (u32(x) < width);
  return select(-1, ((i32(row / outHeight * height) + y) * i32(width) + x) * i32(inChannels), inside);
}

fn load(start: i32, channel: u32) -> f32 {
  return select(0.0, input[u32(max(start, 0)) + channel], start >= 0);
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
  let channel1 = min(channel + 1u, outRow - 1u);
  let channel2 = min(channel + 2u, outRow - 1u);
  let channel3 = min(channel + 3u, outRow - 1u);
  let pixel = i / channelTiles * 8u;
  let last = arrayLength(&output) / outRow - 1u;
  if (pixel > last) {
    return;
  }
  var sum00 = bias[channel]; var sum01 = bias[channel1]; var sum02 = bias[channel2]; var sum03 = bias[channel3];
  var sum10 = bias[channel]; var sum11 = bias[channel1]; var sum12 = bias[channel2]; var sum13 = bias[channel3];
  var sum20 = bias[channel]; var sum21 = bias[channel1]; var sum22 = bias[channel2]; var sum23 = bias[channel3];
  var sum30 = bias[channel]; var sum31 = bias[channel1]; var sum32 = bias[channel2]; var sum33 = bias[channel3];
  var sum40 = bias[channel]; var sum41 = bias[channel1]; var sum42 = bias[channel2]; var sum43 = bias[channel3];
  var sum50 = bias[channel]; var sum51 = bias[channel1]; var sum52 = bias[channel2]; var sum53 = bias[channel3];
  var sum60 = bias[channel]; var sum61 = bias[channel1]; var sum62 = bias[channel2]; var sum63 = bias[channel3];
  var sum70 = bias[channel]; var sum71 = bias[channel1]; var sum72 = bias[channel2]; var sum73 = bias[channel3];
  for (var ky = 0u; ky < kernel; ky++) {
    for (var kx = 0u; kx < kernel; kx++) {
      let start0 = tap(min(pixel + 0u, last), ky, kx);
      let start1 = tap(min(pixel + 1u, last), ky, kx);
      let start2 = tap(min(pixel + 2u, last), ky, kx);
      let start3 = tap(min(pixel + 3u, last), ky, kx);
      let start4 = tap(min(pixel + 4u, last), ky, kx);
      let start5 = tap(min(pixel + 5u, last), ky, kx);
      let start6 = tap(min(pixel + 6u, last), ky, kx);
      let start7 = tap(min(pixel + 7u, last), ky, kx);
      for (var c = 0u; c < inChannels; c++) {
        let row = ((ky * kernel + kx) * inChannels + c) * outRow;
        let w0 = weight[row + channel];
        let w1 = weight[row + channel1];
        let w2 = weight[row + channel2];
        let w3 = weight[row + channel3];
        let x0 = vec4f(load(start0, c));
        sum00 = fma(x0, w0, sum00); sum01 = fma(x0, w1, sum01);
        sum02 = fma(x0, w2, sum02); sum03 = fma(x0, w3, sum03);
        let x1 = vec4f(load(start1, c));
        sum10 = fma(x1, w0, sum10); sum11 = fma(x1, w1, sum11);
        sum12 = fma(x1, w2, sum12); sum13 = fma(x1, w3, sum13);
        let x2 = vec4f(load(start2, c));
        sum20 = fma(x2, w0, sum20); sum21 = fma(x2, w1, sum21);
        sum22 = fma(x2, w2, sum22); sum23 = fma(x2, w3, sum23);
        let x3 = vec4f(load(start3, c));
        sum30 = fma(x3, w0, sum30); sum31 = fma(x3, w1, sum31);
        sum32 = fma(x3, w2, sum32); sum33 = fma(x3, w3, sum33);
        let x4 = vec4f(load(start4, c));
        sum40 = fma(x4, w0, sum40); sum41 = fma(x4, w1, sum41);
        sum42 = fma(x4, w2, sum42); sum43 = fma(x4, w3, sum43);
        let x5 = vec4f(load(start5, c));
        sum50 = fma(x5, w0, sum50); sum51 = fma(x5, w1, sum51);
        sum52 = fma(x5, w2, sum52); sum53 = fma(x5, w3, sum53);
        let x6 = vec4f(load(start6, c));
        sum60 = fma(x6, w0, sum60); sum61 = fma(x6, w1, sum61);
        sum62 = fma(x6, w2, sum62); sum63 = fma(x6, w3, sum63);
        let x7 = vec4f(load(start7, c));
        sum70 = fma(x7, w0, sum70); sum71 = fma(x7, w1, sum71);
        sum72 = fma(x7, w2, sum72); sum73 = fma(x7, w3, sum73);
      }
    }
  }
  store(pixel + 0u, channel + 0u, sum00); store(pixel + 0u, channel + 1u, sum01);
  store(pixel + 0u, channel + 2u, sum02); store(pixel + 0u, channel + 3u, sum03);
  store(pixel + 1u, channel + 0u, sum10); store(pixel + 1u, channel + 1u, sum11);
  store(pixel + 1u, channel + 2u, sum12); store(pixel + 1u, channel + 3u, sum13);
  store(pixel + 2u, channel + 0u, sum20); store(pixel + 2u, channel + 1u, sum21);
  store(pixel + 2u, channel + 2u, sum22); store(pixel + 2u, channel + 3u, sum23);
  store(pixel + 3u, channel + 0u, sum30); store(pixel + 3u, channel + 1u, sum31);
  store(pixel + 3u, channel + 2u, sum32); store(pixel + 3u, channel + 3u, sum33);
  store(pixel + 4u, channel + 0u, sum40); store(pixel + 4u, channel + 1u, sum41);
  store(pixel + 4u, channel + 2u, sum42); store(pixel + 4u, channel + 3u, sum43);
  store(pixel + 5u, channel + 0u, sum50); store(pixel + 5u, channel + 1u, sum51);
  store(pixel + 5u, channel + 2u, sum52); store(pixel + 5u, channel + 3u, sum53);
  store(pixel + 6u, channel + 0u, sum60); store(pixel + 6u, channel + 1u, sum61);
  store(pixel + 6u, channel + 2u, sum62); store(pixel + 6u, channel + 3u, sum63);
  store(pixel + 7u, channel + 0u, sum70); store(pixel + 7u, channel + 1u, sum71);
  store(pixel + 7u, channel + 2u, sum72); store(pixel + 7u, channel + 3u, sum73);
}
