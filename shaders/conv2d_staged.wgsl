// Convolution, and its gradient by the input, as one matrix product whose tiles are staged in workgroup memory.
//
// output[n, y, x, o] = bias[o] + Σ_ky,kx,c source[n, y·stride + ky − padding, x·stride + kx − padding, c] · weight[ky, kx, c, o]
//                                                                                            (entry point `forward`)
// gradient[n, y, x, c] (=|+=) Σ_ky,kx,o source[n, (y + padding − ky) / stride, (x + padding − kx) / stride, o] · weight[ky, kx, c, o]
//                                       over the taps for which both quotients are whole (entry point `gradientInput`)
//
// source   [N, sourceHeight, sourceWidth, sourceChannels]   float32: the input, or the gradient by the output
// weight   [kernel, kernel, inChannels, outChannels]        of the convolution itself, not of its gradient
// bias     [resultChannels]
// output, gradient [N, height, width, resultChannels]       N follows from the length
// Channels are multiples of 4. accumulate: add to what is there. weightSets: so many weights one after the other,
// each for as many images, and no tile spans two of them; with 1×1 kernels these are so many matrix products.
//
// Rows of the product are pixels, columns are channels, and the inner dimension runs over taps, then channels. An invocation
// computes 8 pixels × 8 channels in registers; a workgroup of pixelThreads × channelThreads shares what it loads, vectorsPerStep
// vectors of channels of one tap at a time; where the tap's source pixels lie is worked out once for all channels. Under a
// stride, pixels of the gradient are numbered phase by phase ((y mod stride, x mod stride)), each phase filled up to whole
// workgroups: then all pixels of a workgroup meet the same taps, and none is multiplied by zero.

override sourceHeight: u32 = 8u;
override sourceWidth: u32 = 8u;
override sourceChannels: u32 = 16u;
override height: u32 = 8u;
override width: u32 = 8u;
override resultChannels: u32 = 16u;
override kernel: u32 = 3u;
override stride: u32 = 1u;
override padding: u32 = 1u;
override accumulate: bool = false;
override weightSets: u32 = 1u;
// Of the largest tile.
override pixelThreads: u32 = 16u;
override channelThreads: u32 = 10u;
override vectorsPerStep: u32 = 4u;

// vec4h in variants in half precision.
alias Source = vec4f;
alias Output = vec4f;

@group(0) @binding(0) var<storage, read> source: array<Source>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<Output>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4f>;

const pixelsPerThread = 8u;
// Channels are counted in vectors of four from here on.
const channelsPerThread = 2u;

override tilePixels = pixelThreads * pixelsPerThread;
override tileChannels = channelThreads * channelsPerThread;
override threads = pixelThreads * channelThreads;

// [vectorsPerStep, tilePixels]: four source channels of a pixel; and [4 · vectorsPerStep, tileChannels]: four result
// channels of a source channel. Neighbouring invocations read neighbouring vectors.
var<workgroup> pixels: array<vec4f, vectorsPerStep * tilePixels>;
var<workgroup> weights: array<vec4f, 4u * vectorsPerStep * tileChannels>;
// Index of the first channels of the source pixel that each pixel meets at a tap; nowhere for those in the padding.
var<workgroup> starts: array<u32, tilePixels>;

const nowhere = 0xffffffffu;

// What a workgroup computes: tilePixels from number `pixel` of a phase on, counted from the first of the images that are
// numbered together, and tileChannels from `channel` on.
struct Tile {
  weightSet: u32,
  phaseY: u32,
  phaseX: u32,
  pixel: u32,
  channel: u32,
}

struct Pixel {
  image: u32,
  y: u32,
  x: u32,
  exists: bool,
}

struct Sums {
  a0: vec4f, b0: vec4f, a1: vec4f, b1: vec4f, a2: vec4f, b2: vec4f, a3: vec4f, b3: vec4f,
  a4: vec4f, b4: vec4f, a5: vec4f, b5: vec4f, a6: vec4f, b6: vec4f, a7: vec4f, b7: vec4f,
}

// Images with the same weights: their pixels are numbered together.
fn together(images: u32) -> u32 {
  return images / weightSets;
}

// Pixels of one phase under a stride of `step`, in images numbered together; phases of odd sizes differ, so it is that of
// the largest.
fn phasePixels(images: u32, step: u32) -> u32 {
  return together(images) * ((height + step - 1u) / step) * ((width + step - 1u) / step);
}

fn tileOf(workgroup: u32, images: u32, step: u32) -> Tile {
  let channelTiles = (resultChannels / 4u + tileChannels - 1u) / tileChannels;
  let pixelTiles = (phasePixels(images, step) + tilePixels - 1u) / tilePixels;
  let phase = workgroup / channelTiles / pixelTiles;
  return Tile(
    phase / (step * step),
    phase / step % step,
    phase % step,
    workgroup / channelTiles % pixelTiles * tilePixels,
    workgroup % channelTiles * tileChannels,
  );
}

fn pixelOf(tile: Tile, i: u32, images: u32, step: u32) -> Pixel {
  let number = tile.pixel + i;
  let columns = (width + step - 1u) / step;
  let rows = (height + step - 1u) / step;
  let image = tile.weightSet * together(images) + number / columns / rows;
  let y = number / columns % rows * step + tile.phaseY;
  let x = number % columns * step + tile.phaseX;
  let exists = number < phasePixels(images, step) && image < images && y < height && x < width;
  return Pixel(image, y, x, exists);
}

fn startOf(pixel: Pixel, ky: u32, kx: u32, backward: bool) -> u32 {
  var y = i32(pixel.y * stride + ky) - i32(padding);
  var x = i32(pixel.x * stride + kx) - i32(padding);
  if (backward) {
    // Whole for the taps that `meets` lets through.
    y = (i32(pixel.y + padding) - i32(ky)) / i32(stride);
    x = (i32(pixel.x + padding) - i32(kx)) / i32(stride);
    if (pixel.y + padding < ky || pixel.x + padding < kx) {
      return nowhere;
    }
  }
  if (!pixel.exists || y < 0 || y >= i32(sourceHeight) || x < 0 || x >= i32(sourceWidth)) {
    return nowhere;
  }
  return ((pixel.image * sourceHeight + u32(y)) * sourceWidth + u32(x)) * (sourceChannels / 4u);
}

// Four source channels from `channel` on of a source pixel.
fn sourceAt(start: u32, channel: u32) -> vec4f {
  if (start == nowhere || channel >= sourceChannels / 4u) {
    return vec4f();
  }
  return vec4f(source[start + channel]);
}

// Four source channels (columns) × four result channels of a tap, counted through all weights; zero beyond the last.
fn weightsAt(tap: u32, channel: u32, result: u32, backward: bool) -> mat4x4f {
  let row = sourceChannels / 4u;
  let results = resultChannels / 4u;
  if (channel >= row || result >= results) {
    return mat4x4f();
  }
  if (backward) {
    let i = (tap * resultChannels + 4u * result) * row + channel;
    return transpose(mat4x4f(weight[i], weight[i + row], weight[i + 2u * row], weight[i + 3u * row]));
  }
  let i = (tap * sourceChannels + 4u * channel) * results + result;
  return mat4x4f(weight[i], weight[i + results], weight[i + 2u * results], weight[i + 3u * results]);
}

// Whether a tap meets whole source pixels from this phase.
fn meets(phase: u32, tap: u32, backward: bool) -> bool {
  return !backward || (phase + padding + kernel * stride - tap) % stride == 0u;
}

// sum + Σ_i w[i] · x[i], in fused steps.
fn multiplyAdd(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

// Four source channels of the tile that is staged, for this invocation's pixels and channels.
fn accumulateStep(sums: ptr<function, Sums>, k: u32, pixelThread: u32, channelThread: u32) {
  let first = 4u * k * tileChannels + channelThread;
  let wa = mat4x4f(
    weights[first],
    weights[first + tileChannels],
    weights[first + 2u * tileChannels],
    weights[first + 3u * tileChannels],
  );
  let second = first + channelThreads;
  let wb = mat4x4f(
    weights[second],
    weights[second + tileChannels],
    weights[second + 2u * tileChannels],
    weights[second + 3u * tileChannels],
  );
  let at = k * tilePixels + pixelThread;
  let x0 = pixels[at];
  (*sums).a0 = multiplyAdd(wa, x0, (*sums).a0);
  (*sums).b0 = multiplyAdd(wb, x0, (*sums).b0);
  let x1 = pixels[at + pixelThreads];
  (*sums).a1 = multiplyAdd(wa, x1, (*sums).a1);
  (*sums).b1 = multiplyAdd(wb, x1, (*sums).b1);
  let x2 = pixels[at + 2u * pixelThreads];
  (*sums).a2 = multiplyAdd(wa, x2, (*sums).a2);
  (*sums).b2 = multiplyAdd(wb, x2, (*sums).b2);
  let x3 = pixels[at + 3u * pixelThreads];
  (*sums).a3 = multiplyAdd(wa, x3, (*sums).a3);
  (*sums).b3 = multiplyAdd(wb, x3, (*sums).b3);
  let x4 = pixels[at + 4u * pixelThreads];
  (*sums).a4 = multiplyAdd(wa, x4, (*sums).a4);
  (*sums).b4 = multiplyAdd(wb, x4, (*sums).b4);
  let x5 = pixels[at + 5u * pixelThreads];
  (*sums).a5 = multiplyAdd(wa, x5, (*sums).a5);
  (*sums).b5 = multiplyAdd(wb, x5, (*sums).b5);
  let x6 = pixels[at + 6u * pixelThreads];
  (*sums).a6 = multiplyAdd(wa, x6, (*sums).a6);
  (*sums).b6 = multiplyAdd(wb, x6, (*sums).b6);
  let x7 = pixels[at + 7u * pixelThreads];
  (*sums).a7 = multiplyAdd(wa, x7, (*sums).a7);
  (*sums).b7 = multiplyAdd(wb, x7, (*sums).b7);
}

fn findSources(tile: Tile, images: u32, thread: u32, ky: u32, kx: u32, backward: bool) {
  let step = select(1u, stride, backward);
  for (var i = thread; i < tilePixels; i += threads) {
    starts[i] = startOf(pixelOf(tile, i, images, step), ky, kx, backward);
  }
}

fn stage(tile: Tile, thread: u32, ky: u32, kx: u32, channel: u32, backward: bool) {
  for (var i = thread; i < vectorsPerStep * tilePixels; i += threads) {
    pixels[i] = sourceAt(starts[i % tilePixels], channel + i / tilePixels);
  }
  for (var i = thread; i < vectorsPerStep * tileChannels; i += threads) {
    let k = i / tileChannels;
    let column = i % tileChannels;
    let block = weightsAt((tile.weightSet * kernel + ky) * kernel + kx, channel + k, tile.channel + column, backward);
    let first = 4u * k * tileChannels + column;
    weights[first] = block[0];
    weights[first + tileChannels] = block[1];
    weights[first + 2u * tileChannels] = block[2];
    weights[first + 3u * tileChannels] = block[3];
  }
}

fn convolve(tile: Tile, images: u32, thread: u32, backward: bool) -> Sums {
  var sums = Sums();
  for (var ky = 0u; ky < kernel; ky++) {
    for (var kx = 0u; kx < kernel; kx++) {
      if (!meets(tile.phaseY, ky, backward) || !meets(tile.phaseX, kx, backward)) {
        continue;
      }
      // Nobody reads those of the last tap any more: what was staged from them is complete.
      findSources(tile, images, thread, ky, kx, backward);
      for (var channel = 0u; channel < sourceChannels / 4u; channel += vectorsPerStep) {
        workgroupBarrier();
        stage(tile, thread, ky, kx, channel, backward);
        workgroupBarrier();
        for (var k = 0u; k < vectorsPerStep; k++) {
          accumulateStep(&sums, k, thread % pixelThreads, thread / pixelThreads);
        }
      }
    }
  }
  return sums;
}

// Index of the first vector of channels of this invocation's pixel number i, or −1 if there is none.
fn resultAt(tile: Tile, images: u32, thread: u32, i: u32, step: u32) -> i32 {
  let pixel = pixelOf(tile, thread % pixelThreads + i * pixelThreads, images, step);
  let row = resultChannels / 4u;
  return select(-1, i32(((pixel.image * height + pixel.y) * width + pixel.x) * row), pixel.exists);
}

fn storeOutput(tile: Tile, images: u32, thread: u32, i: u32, a: vec4f, b: vec4f) {
  let at = resultAt(tile, images, thread, i, 1u);
  let row = resultChannels / 4u;
  let channel = tile.channel + thread / pixelThreads;
  if (at >= 0 && channel < row) {
    output[u32(at) + channel] = Output(bias[channel] + a);
  }
  if (at >= 0 && channel + channelThreads < row) {
    output[u32(at) + channel + channelThreads] = Output(bias[channel + channelThreads] + b);
  }
}

fn storeGradient(tile: Tile, images: u32, thread: u32, i: u32, a: vec4f, b: vec4f) {
  let at = resultAt(tile, images, thread, i, stride);
  let row = resultChannels / 4u;
  let channel = tile.channel + thread / pixelThreads;
  if (at >= 0 && channel < row) {
    let place = u32(at) + channel;
    gradient[place] = select(a, gradient[place] + a, accumulate);
  }
  if (at >= 0 && channel + channelThreads < row) {
    let place = u32(at) + channel + channelThreads;
    gradient[place] = select(b, gradient[place] + b, accumulate);
  }
}

@compute @workgroup_size(threads)
fn forward(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let images = arrayLength(&output) / (height * width * (resultChannels / 4u));
  let tile = tileOf(id.x + id.y * groups.x, images, 1u);
  let sums = convolve(tile, images, thread, false);
  storeOutput(tile, images, thread, 0u, sums.a0, sums.b0);
  storeOutput(tile, images, thread, 1u, sums.a1, sums.b1);
  storeOutput(tile, images, thread, 2u, sums.a2, sums.b2);
  storeOutput(tile, images, thread, 3u, sums.a3, sums.b3);
  storeOutput(tile, images, thread, 4u, sums.a4, sums.b4);
  storeOutput(tile, images, thread, 5u, sums.a5, sums.b5);
  storeOutput(tile, images, thread, 6u, sums.a6, sums.b6);
  storeOutput(tile, images, thread, 7u, sums.a7, sums.b7);
}

@compute @workgroup_size(threads)
fn gradientInput(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let images = arrayLength(&gradient) / (height * width * (resultChannels / 4u));
  let tile = tileOf(id.x + id.y * groups.x, images, stride);
  let sums = convolve(tile, images, thread, true);
  storeGradient(tile, images, thread, 0u, sums.a0, sums.b0);
  storeGradient(tile, images, thread, 1u, sums.a1, sums.b1);
  storeGradient(tile, images, thread, 2u, sums.a2, sums.b2);
  storeGradient(tile, images, thread, 3u, sums.a3, sums.b3);
  storeGradient(tile, images, thread, 4u, sums.a4, sums.b4);
  storeGradient(tile, images, thread, 5u, sums.a5, sums.b5);
  storeGradient(tile, images, thread, 6u, sums.a6, sums.b6);
  storeGradient(tile, images, thread, 7u, sums.a7, sums.b7);
}
