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
// computes 8 pixels × 8 channels in registers; a workgroup of pixelThreads × channelThreads shares what it loads,
// vectorsPerStep vectors of channels of one tap at a time. What the next step needs is on its way from memory to registers
// while one is summed. Where a tap's source pixels lie is worked out once for all channels. Under a stride, pixels of the
// gradient are numbered phase by phase ((y mod stride, x mod stride)), each phase filled up to whole workgroups: then all
// pixels of a workgroup meet the same taps, and none is multiplied by zero.

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
// Of the largest tile. pixelRow, channelRow: places from one vector's row to the next; pixelPlaces, channelPlaces: in all rows.
override pixelThreads: u32 = 16u;
override channelThreads: u32 = 10u;
override vectorsPerStep: u32 = 4u;
override pixelRow: u32 = 18u;
override pixelPlaces: u32 = 70u;
override channelRow: u32 = 10u;
override channelPlaces: u32 = 40u;

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
// Vectors of source pixels that an invocation loads for a step, 8 at most, and blocks of 4 × 4 weights of the workgroup, one for an
// invocation at most.
override pixelLoads = (vectorsPerStep * tilePixels + threads - 1u) / threads;
override weightBlocks = vectorsPerStep * tileChannels;

// What an invocation needs of a vector of source channels: that of its 8 pixels, or the weights by it, four for each vector of its
// result channels. A place is indexed by constants, which no compiler clamps; its length, and that of rows of places, keep what is
// read and what is written at the same time in different banks of memory. A row for each vector of a step.
alias Place = array<vec4f, 9>;
var<workgroup> pixels: array<Place, pixelPlaces>;
var<workgroup> weights: array<Place, channelPlaces>;
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

// A pixel's sums: four channels, and four channels channelThreads vectors on.
struct Pair {
  a: vec4f,
  b: vec4f,
}

struct Sums {
  p0: Pair, p1: Pair, p2: Pair, p3: Pair, p4: Pair, p5: Pair, p6: Pair, p7: Pair,
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

// Four source channels from `channel` on of a source pixel; zero if there are none, without waiting for memory: a selection would.
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

fn addPixel(sum: Pair, wa: mat4x4f, wb: mat4x4f, x: vec4f) -> Pair {
  return Pair(multiplyAdd(wa, x, sum.a), multiplyAdd(wb, x, sum.b));
}

// Four source channels of the tile that is staged, for this invocation's pixels and channels.
fn accumulateVector(sums: ptr<function, Sums>, k: u32, pixelThread: u32, channelThread: u32) {
  let w = &weights[k * channelRow + channelThread];
  let wa = mat4x4f((*w)[0], (*w)[1], (*w)[2], (*w)[3]);
  let wb = mat4x4f((*w)[4], (*w)[5], (*w)[6], (*w)[7]);
  let x = &pixels[k * pixelRow + pixelThread];
  (*sums).p0 = addPixel((*sums).p0, wa, wb, (*x)[0]);
  (*sums).p1 = addPixel((*sums).p1, wa, wb, (*x)[1]);
  (*sums).p2 = addPixel((*sums).p2, wa, wb, (*x)[2]);
  (*sums).p3 = addPixel((*sums).p3, wa, wb, (*x)[3]);
  (*sums).p4 = addPixel((*sums).p4, wa, wb, (*x)[4]);
  (*sums).p5 = addPixel((*sums).p5, wa, wb, (*x)[5]);
  (*sums).p6 = addPixel((*sums).p6, wa, wb, (*x)[6]);
  (*sums).p7 = addPixel((*sums).p7, wa, wb, (*x)[7]);
}

// Not a loop: WebGPU counts the turns of each, and vectors would not overlap.
fn accumulateStep(sums: ptr<function, Sums>, pixelThread: u32, channelThread: u32) {
  accumulateVector(sums, 0u, pixelThread, channelThread);
  if (vectorsPerStep > 1u) {
    accumulateVector(sums, 1u, pixelThread, channelThread);
  }
  if (vectorsPerStep > 2u) {
    accumulateVector(sums, 2u, pixelThread, channelThread);
    accumulateVector(sums, 3u, pixelThread, channelThread);
  }
}

fn findSources(tile: Tile, images: u32, thread: u32, tap: u32, backward: bool) {
  let step = select(1u, stride, backward);
  for (var i = thread; i < tilePixels; i += threads) {
    starts[i] = startOf(pixelOf(tile, i, images, step), tap / kernel, tap % kernel, backward);
  }
}

// What an invocation has loaded for a step.
struct Loaded {
  x0: vec4f, x1: vec4f, x2: vec4f, x3: vec4f, x4: vec4f, x5: vec4f, x6: vec4f, x7: vec4f,
  weights: mat4x4f,
}

// Whether an invocation's load number j is vector i of those that are staged; by j alone a compiler knows of loads that nobody has.
fn isStaged(j: u32, i: u32) -> bool {
  return j < pixelLoads && i < vectorsPerStep * tilePixels;
}

// Neighbouring invocations load neighbouring vectors of a pixel, and then those of the next.
fn loadPixel(j: u32, thread: u32, channel: u32) -> vec4f {
  let i = thread + j * threads;
  if (!isStaged(j, i)) {
    return vec4f();
  }
  return sourceAt(starts[i / vectorsPerStep], channel + i % vectorsPerStep);
}

fn load(tile: Tile, thread: u32, tap: u32, channel: u32, backward: bool) -> Loaded {
  var weightBlock = mat4x4f();
  if (thread < weightBlocks) {
    let result = tile.channel + thread / vectorsPerStep;
    let setTap = tile.weightSet * kernel * kernel + tap;
    weightBlock = weightsAt(setTap, channel + thread % vectorsPerStep, result, backward);
  }
  return Loaded(
    loadPixel(0u, thread, channel),
    loadPixel(1u, thread, channel),
    loadPixel(2u, thread, channel),
    loadPixel(3u, thread, channel),
    loadPixel(4u, thread, channel),
    loadPixel(5u, thread, channel),
    loadPixel(6u, thread, channel),
    loadPixel(7u, thread, channel),
    weightBlock,
  );
}

fn stagePixel(j: u32, thread: u32, x: vec4f) {
  let i = thread + j * threads;
  if (isStaged(j, i)) {
    let pixel = i / vectorsPerStep;
    pixels[i % vectorsPerStep * pixelRow + pixel % pixelThreads][pixel / pixelThreads] = x;
  }
}

fn stage(thread: u32, loaded: Loaded) {
  stagePixel(0u, thread, loaded.x0);
  stagePixel(1u, thread, loaded.x1);
  stagePixel(2u, thread, loaded.x2);
  stagePixel(3u, thread, loaded.x3);
  stagePixel(4u, thread, loaded.x4);
  stagePixel(5u, thread, loaded.x5);
  stagePixel(6u, thread, loaded.x6);
  stagePixel(7u, thread, loaded.x7);
  if (thread < weightBlocks) {
    let channel = thread / vectorsPerStep;
    let place = &weights[thread % vectorsPerStep * channelRow + channel % channelThreads];
    let first = channel / channelThreads * 4u;
    (*place)[first] = loaded.weights[0];
    (*place)[first + 1u] = loaded.weights[1];
    (*place)[first + 2u] = loaded.weights[2];
    (*place)[first + 3u] = loaded.weights[3];
  }
}

// The first tap from `tap` on that meets whole source pixels from the tile's phase, or the number of taps.
fn tapFrom(tile: Tile, tap: u32, backward: bool) -> u32 {
  for (var i = tap; i < kernel * kernel; i++) {
    if (meets(tile.phaseY, i / kernel, backward) && meets(tile.phaseX, i % kernel, backward)) {
      return i;
    }
  }
  return kernel * kernel;
}

fn convolve(tile: Tile, images: u32, thread: u32, backward: bool) -> Sums {
  var sums = Sums();
  var tap = tapFrom(tile, 0u, backward);
  if (tap == kernel * kernel) {
    return sums;
  }
  var channel = 0u;
  findSources(tile, images, thread, tap, backward);
  workgroupBarrier();
  var next = load(tile, thread, tap, channel, backward);
  while (tap < kernel * kernel) {
    // Nobody reads the last step's tiles and sources any more.
    workgroupBarrier();
    stage(thread, next);
    channel += vectorsPerStep;
    if (channel >= sourceChannels / 4u) {
      channel = 0u;
      tap = tapFrom(tile, tap + 1u, backward);
      findSources(tile, images, thread, tap, backward);
    }
    workgroupBarrier();
    if (tap < kernel * kernel) {
      next = load(tile, thread, tap, channel, backward);
    }
    accumulateStep(&sums, thread % pixelThreads, thread / pixelThreads);
  }
  return sums;
}

// Index of the first vector of channels of this invocation's pixel number i, or −1 if there is none.
fn resultAt(tile: Tile, images: u32, thread: u32, i: u32, step: u32) -> i32 {
  let pixel = pixelOf(tile, thread % pixelThreads + i * pixelThreads, images, step);
  let row = resultChannels / 4u;
  return select(-1, i32(((pixel.image * height + pixel.y) * width + pixel.x) * row), pixel.exists);
}

fn storeOutput(tile: Tile, images: u32, thread: u32, i: u32, sum: Pair) {
  let at = resultAt(tile, images, thread, i, 1u);
  let row = resultChannels / 4u;
  let channel = tile.channel + thread / pixelThreads;
  if (at >= 0 && channel < row) {
    output[u32(at) + channel] = Output(bias[channel] + sum.a);
  }
  if (at >= 0 && channel + channelThreads < row) {
    output[u32(at) + channel + channelThreads] = Output(bias[channel + channelThreads] + sum.b);
  }
}

fn addTo(place: u32, value: vec4f) {
  gradient[place] = select(value, gradient[place] + value, accumulate);
}

fn storeGradient(tile: Tile, images: u32, thread: u32, i: u32, sum: Pair) {
  let at = resultAt(tile, images, thread, i, stride);
  let row = resultChannels / 4u;
  let channel = tile.channel + thread / pixelThreads;
  if (at >= 0 && channel < row) {
    addTo(u32(at) + channel, sum.a);
  }
  if (at >= 0 && channel + channelThreads < row) {
    addTo(u32(at) + channel + channelThreads, sum.b);
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
  storeOutput(tile, images, thread, 0u, sums.p0);
  storeOutput(tile, images, thread, 1u, sums.p1);
  storeOutput(tile, images, thread, 2u, sums.p2);
  storeOutput(tile, images, thread, 3u, sums.p3);
  storeOutput(tile, images, thread, 4u, sums.p4);
  storeOutput(tile, images, thread, 5u, sums.p5);
  storeOutput(tile, images, thread, 6u, sums.p6);
  storeOutput(tile, images, thread, 7u, sums.p7);
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
  storeGradient(tile, images, thread, 0u, sums.p0);
  storeGradient(tile, images, thread, 1u, sums.p1);
  storeGradient(tile, images, thread, 2u, sums.p2);
  storeGradient(tile, images, thread, 3u, sums.p3);
  storeGradient(tile, images, thread, 4u, sums.p4);
  storeGradient(tile, images, thread, 5u, sums.p5);
  storeGradient(tile, images, thread, 6u, sums.p6);
  storeGradient(tile, images, thread, 7u, sums.p7);
}
