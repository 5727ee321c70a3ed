// inputGradient[n, y, x, c] (=|+=) Σ_ky,kx,o outputGradient[n, y', x', o] · weight[ky, kx, c, o]
// over the output pixels with y'·stride + ky − padding = y and x'·stride + kx − padding = x
//
// outputGradient [N, outHeight, outWidth, outChannels]          float32, outChannels a multiple of 4
// weight         [kernel, kernel, inChannels, outChannels]      float32, inChannels a multiple of 4
// inputGradient  [N, height, width, inChannels]                 N follows from its length
// accumulate: add to what is there.
//
// An invocation computes 8 pixels × 16 channels, as in conv2d_forward. With a stride, a pixel meets only every stride-th
// tap in each direction; pixels are therefore numbered by phase (y mod stride, x mod stride) first, so that those of a tile
// meet the same taps and none is multiplied by zero.

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
@group(0) @binding(2) var<storage, read_write> inputGradient: array<vec4f>;

// An input pixel; `valid` is false beyond the border or the last image.
struct Pixel {
  image: u32,
  row: u32,
  column: u32,
  valid: bool,
}

fn pixelOf(number: u32, phase: u32, count: u32) -> Pixel {
  let rows = (height + stride - 1u) / stride;
  let columns = (width + stride - 1u) / stride;
  let row = number / columns % rows * stride + phase / stride;
  let column = number % columns * stride + phase % stride;
  return Pixel(number / columns / rows, row, column, number < count && row < height && column < width);
}

// Index of the first channels of the output pixel that the tap (ky, kx) connects to, or −1 if there is none.
fn tap(pixel: Pixel, ky: u32, kx: u32) -> i32 {
  let y = (i32(pixel.row + padding) - i32(ky)) / i32(stride);
  let x = (i32(pixel.column + padding) - i32(kx)) / i32(stride);
  let inside = pixel.valid && pixel.row + padding >= ky && y < i32(outHeight) && pixel.column + padding >= kx &&
    x < i32(outWidth);
  return select(-1, ((i32(pixel.image * outHeight) + y) * i32(outWidth) + x) * i32(outChannels / 4u), inside);
}

fn load(start: i32, channel: u32) -> vec4f {
  return select(vec4f(), outputGradient[u32(max(start, 0)) + channel], start >= 0);
}

// Four output channels (columns) × four input channels; channels beyond the last repeat it and are not stored.
fn weights(start: u32, channel: u32) -> mat4x4f {
  let row = outChannels / 4u;
  let i = start + 4u * min(channel, inChannels / 4u - 1u) * row;
  return transpose(mat4x4f(weight[i], weight[i + row], weight[i + 2u * row], weight[i + 3u * row]));
}

// sum + w · x, in fused steps.
fn multiplyAdd(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

fn store(pixel: Pixel, channel: u32, value: vec4f) {
  if (!pixel.valid || channel >= inChannels / 4u) {
    return;
  }
  let i = ((pixel.image * height + pixel.row) * width + pixel.column) * (inChannels / 4u) + channel;
  if (accumulate) {
    inputGradient[i] += value;
  } else {
    inputGradient[i] = value;
  }
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let channelTiles = (inChannels / 4u + 3u) / 4u;
  let channel = i % channelTiles * 4u;
  let images = arrayLength(&inputGradient) / (height * width * (inChannels / 4u));
  let phasePixels = images * ((height + stride - 1u) / stride) * ((width + stride - 1u) / stride);
  let phaseTiles = (phasePixels + 7u) / 8u;
  let phase = i / channelTiles / phaseTiles;
  let number = i / channelTiles % phaseTiles * 8u;
  if (phase >= stride * stride) {
    return;
  }
  let pixel0 = pixelOf(number + 0u, phase, phasePixels);
  let pixel1 = pixelOf(number + 1u, phase, phasePixels);
  let pixel2 = pixelOf(number + 2u, phase, phasePixels);
  let pixel3 = pixelOf(number + 3u, phase, phasePixels);
  let pixel4 = pixelOf(number + 4u, phase, phasePixels);
  let pixel5 = pixelOf(number + 5u, phase, phasePixels);
  let pixel6 = pixelOf(number + 6u, phase, phasePixels);
  let pixel7 = pixelOf(number + 7u, phase, phasePixels);
  var sum00 = vec4f();
  var sum01 = vec4f();
  var sum02 = vec4f();
  var sum03 = vec4f();
  var sum10 = vec4f();
  var sum11 = vec4f();
  var sum12 = vec4f();
  var sum13 = vec4f();
  var sum20 = vec4f();
  var sum21 = vec4f();
  var sum22 = vec4f();
  var sum23 = vec4f();
  var sum30 = vec4f();
  var sum31 = vec4f();
  var sum32 = vec4f();
  var sum33 = vec4f();
  var sum40 = vec4f();
  var sum41 = vec4f();
  var sum42 = vec4f();
  var sum43 = vec4f();
  var sum50 = vec4f();
  var sum51 = vec4f();
  var sum52 = vec4f();
  var sum53 = vec4f();
  var sum60 = vec4f();
  var sum61 = vec4f();
  var sum62 = vec4f();
  var sum63 = vec4f();
  var sum70 = vec4f();
  var sum71 = vec4f();
  var sum72 = vec4f();
  var sum73 = vec4f();
  for (var ky = (phase / stride + padding) % stride; ky < kernel; ky += stride) {
    for (var kx = (phase % stride + padding) % stride; kx < kernel; kx += stride) {
      let start0 = tap(pixel0, ky, kx);
      let start1 = tap(pixel1, ky, kx);
      let start2 = tap(pixel2, ky, kx);
      let start3 = tap(pixel3, ky, kx);
      let start4 = tap(pixel4, ky, kx);
      let start5 = tap(pixel5, ky, kx);
      let start6 = tap(pixel6, ky, kx);
      let start7 = tap(pixel7, ky, kx);
      let tapWeights = (ky * kernel + kx) * inChannels * (outChannels / 4u);
      for (var o = 0u; o < outChannels / 4u; o++) {
        let w0 = weights(tapWeights + o, channel + 0u);
        let w1 = weights(tapWeights + o, channel + 1u);
        let w2 = weights(tapWeights + o, channel + 2u);
        let w3 = weights(tapWeights + o, channel + 3u);
        let d0 = load(start0, o);
        sum00 = multiplyAdd(w0, d0, sum00);
        sum01 = multiplyAdd(w1, d0, sum01);
        sum02 = multiplyAdd(w2, d0, sum02);
        sum03 = multiplyAdd(w3, d0, sum03);
        let d1 = load(start1, o);
        sum10 = multiplyAdd(w0, d1, sum10);
        sum11 = multiplyAdd(w1, d1, sum11);
        sum12 = multiplyAdd(w2, d1, sum12);
        sum13 = multiplyAdd(w3, d1, sum13);
        let d2 = load(start2, o);
        sum20 = multiplyAdd(w0, d2, sum20);
        sum21 = multiplyAdd(w1, d2, sum21);
        sum22 = multiplyAdd(w2, d2, sum22);
        sum23 = multiplyAdd(w3, d2, sum23);
        let d3 = load(start3, o);
        sum30 = multiplyAdd(w0, d3, sum30);
        sum31 = multiplyAdd(w1, d3, sum31);
        sum32 = multiplyAdd(w2, d3, sum32);
        sum33 = multiplyAdd(w3, d3, sum33);
        let d4 = load(start4, o);
        sum40 = multiplyAdd(w0, d4, sum40);
        sum41 = multiplyAdd(w1, d4, sum41);
        sum42 = multiplyAdd(w2, d4, sum42);
        sum43 = multiplyAdd(w3, d4, sum43);
        let d5 = load(start5, o);
        sum50 = multiplyAdd(w0, d5, sum50);
        sum51 = multiplyAdd(w1, d5, sum51);
        sum52 = multiplyAdd(w2, d5, sum52);
        sum53 = multiplyAdd(w3, d5, sum53);
        let d6 = load(start6, o);
        sum60 = multiplyAdd(w0, d6, sum60);
        sum61 = multiplyAdd(w1, d6, sum61);
        sum62 = multiplyAdd(w2, d6, sum62);
        sum63 = multiplyAdd(w3, d6, sum63);
        let d7 = load(start7, o);
        sum70 = multiplyAdd(w0, d7, sum70);
        sum71 = multiplyAdd(w1, d7, sum71);
        sum72 = multiplyAdd(w2, d7, sum72);
        sum73 = multiplyAdd(w3, d7, sum73);
      }
    }
  }
  store(pixel0, channel + 0u, sum00);
  store(pixel0, channel + 1u, sum01);
  store(pixel0, channel + 2u, sum02);
  store(pixel0, channel + 3u, sum03);
  store(pixel1, channel + 0u, sum10);
  store(pixel1, channel + 1u, sum11);
  store(pixel1, channel + 2u, sum12);
  store(pixel1, channel + 3u, sum13);
  store(pixel2, channel + 0u, sum20);
  store(pixel2, channel + 1u, sum21);
  store(pixel2, channel + 2u, sum22);
  store(pixel2, channel + 3u, sum23);
  store(pixel3, channel + 0u, sum30);
  store(pixel3, channel + 1u, sum31);
  store(pixel3, channel + 2u, sum32);
  store(pixel3, channel + 3u, sum33);
  store(pixel4, channel + 0u, sum40);
  store(pixel4, channel + 1u, sum41);
  store(pixel4, channel + 2u, sum42);
  store(pixel4, channel + 3u, sum43);
  store(pixel5, channel + 0u, sum50);
  store(pixel5, channel + 1u, sum51);
  store(pixel5, channel + 2u, sum52);
  store(pixel5, channel + 3u, sum53);
  store(pixel6, channel + 0u, sum60);
  store(pixel6, channel + 1u, sum61);
  store(pixel6, channel + 2u, sum62);
  store(pixel6, channel + 3u, sum63);
  store(pixel7, channel + 0u, sum70);
  store(pixel7, channel + 1u, sum71);
  store(pixel7, channel + 2u, sum72);
  store(pixel7, channel + 3u, sum73);
}
