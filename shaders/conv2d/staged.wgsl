// Convolution, and its gradient with respect to the input, as one matrix product whose tiles are staged in workgroup
// memory.
//
// output[n, y, x, o] = bias[o] + Σ_ky,kx,c source[n, y·stride + ky − padding, x·stride + kx − padding, c] · weight[ky, kx, c, o]
//                                                                                            (entry point `forward`)
// gradient[n, y, x, c] (=|+=) Σ_ky,kx,o source[n, (y + padding − ky) / stride, (x + padding − kx) / stride, o] · weight[ky, kx, c, o]
//                                       over the taps for which both quotients are whole (entry point `gradientInput`)
//
// source [N, sourceHeight, sourceWidth, sourceChannels] float32: the input, or the gradient with respect to the output
// weight   [kernel, kernel, inChannels, outChannels]        of the convolution itself, not of its gradient
// bias     [resultChannels]
// output, gradient [N, height, width, resultChannels]       N follows from the length
// Channels are multiples of 4. accumulate: add to what the result holds. weightSets: how many weights lie one after the
// other; each is for an equal part of the images, and no tile spans two of them. With 1×1 kernels that is a batch of
// matrix products.
//
// Rows of the product are pixels, columns are channels, and the inner dimension runs over taps, then channels. An
// invocation computes 8 pixels × channelVectors (1 or 2) vectors of channels in registers. A workgroup of pixelThreads
// × channelThreads shares what it loads: vectorsPerStep vectors of channels of one tap at a time. With loadsAhead, the
// values of the next step move from memory to registers while one is summed. An invocation works out once where its
// pixels are in the source and which taps they meet. Under a stride, pixels of the gradient are numbered phase by phase
// ((y mod stride, x mod stride)), each phase filled up to whole workgroups. All pixels of a workgroup then meet the
// same taps, and none is multiplied by zero.

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
// Sizes for the largest tile. pixelRow, channelRow: places from one vector's row to the next; pixelPlaces,
// channelPlaces: in all rows.
override pixelThreads: u32 = 16u;
override channelThreads: u32 = 10u;
override channelVectors: u32 = 2u;
override loadsAhead: bool = true;
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

override tilePixels = pixelThreads * pixelsPerThread;
// In vectors of four, as all counts of channels from here on.
override tileChannels = channelThreads * channelVectors;
override threads = pixelThreads * channelThreads;
// What a workgroup loads for a step, in blocks: four neighbouring pixels × four channels, at most two blocks for an
// invocation, and 4 × 4 weights, at most one block for an invocation.
override pixelBlocks = vectorsPerStep * tilePixels / 4u;
override weightBlocks = vectorsPerStep * tileChannels;
override twoBlocks = pixelBlocks > threads;
override evenBlocks = pixelBlocks % threads == 0u;
// Whether no load goes beyond a tap's last source channels, or beyond the last result channels.
override wholeSteps = sourceChannels % (4u * vectorsPerStep) == 0u;
override wholeTiles = resultChannels % (4u * tileChannels) == 0u;
// Whether every pixel meets a source pixel, so that none is replaced by zeros. What missing pixels meet is not stored.
override unpadded = kernel == 1u && padding == 0u;
// Whether pixels of the result are those of the source, so that the four pixels of a block are consecutive.
override isFlat = unpadded && stride == 1u;

// What an invocation needs for four source channels: for each of them two vectors of four pixels, or two vectors of
// weights. Members and constants are not indices, which compilers clamp. The length of a place, and that of rows of
// places, keep what is read and what is written at the same time in different banks of memory. There is a row for each
// vector of a step.
alias Two = array<vec4f, 2>;
struct Place {
  c0: Two,
  c1: Two,
  c2: Two,
  c3: Two,
  unused: vec4f,
}
var<workgroup> pixels: array<Place, pixelPlaces>;
var<workgroup> weights: array<Place, channelPlaces>;

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

// Number of images with the same weights; their pixels are numbered together.
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

// The source line (row or column) that a line of the result meets at tap 0.
fn firstLine(line: u32, backward: bool) -> i32 {
  return select(i32(line * stride) - i32(padding), i32((line + padding) / stride), backward);
}

// Lines from the one that tap 0 meets to the one that tap k meets, for taps that meet whole source pixels.
fn linesTo(k: u32, backward: bool) -> i32 {
  return select(i32(k), -i32(k / stride), backward);
}

fn originOf(pixel: Pixel, backward: bool) -> u32 {
  let y = i32(pixel.image * sourceHeight) + firstLine(pixel.y, backward);
  return u32((y * i32(sourceWidth) + firstLine(pixel.x, backward)) * i32(sourceChannels / 4u));
}

// Bit k, if the line that tap k meets lies inside the source.
fn bitInside(k: u32, first: i32, lines: u32, backward: bool) -> u32 {
  return select(0u, 1u << k, u32(first + linesTo(k, backward)) < lines);
}

fn linesInside(first: i32, lines: u32, backward: bool) -> u32 {
  return bitInside(0u, first, lines, backward) | bitInside(1u, first, lines, backward) | bitInside(2u, first, lines, backward);
}

// Bits ky and 3 + kx: whether the row and the column that a tap meets lie inside the source.
fn tapsInside(pixel: Pixel, backward: bool) -> u32 {
  let rows = linesInside(firstLine(pixel.y, backward), sourceHeight, backward);
  let columns = linesInside(firstLine(pixel.x, backward), sourceWidth, backward);
  return select(0u, rows | (columns << 3u), pixel.exists);
}

fn add(x: Pair, y: Pair) -> Pair {
  return Pair(x.a + y.a, x.b + y.b);
}

fn addPixel(sum: Pair, x: f32, w: Two) -> Pair {
  return Pair(fma(vec4f(x), w[0], sum.a), fma(vec4f(x), w[1], sum.b));
}

// A source channel of the tile that is staged, for this invocation's pixels and channels.
fn accumulateChannel(sums: ptr<function, Sums>, x: Two, w: Two) {
  (*sums).p0 = addPixel((*sums).p0, x[0].x, w);
  (*sums).p1 = addPixel((*sums).p1, x[0].y, w);
  (*sums).p2 = addPixel((*sums).p2, x[0].z, w);
  (*sums).p3 = addPixel((*sums).p3, x[0].w, w);
  (*sums).p4 = addPixel((*sums).p4, x[1].x, w);
  (*sums).p5 = addPixel((*sums).p5, x[1].y, w);
  (*sums).p6 = addPixel((*sums).p6, x[1].z, w);
  (*sums).p7 = addPixel((*sums).p7, x[1].w, w);
}

fn accumulateVector(sums: ptr<function, Sums>, k: u32, pixelThread: u32, channelThread: u32) {
  let w = &weights[k * channelRow + channelThread];
  let x = &pixels[k * pixelRow + pixelThread];
  accumulateChannel(sums, (*x).c0, (*w).c0);
  accumulateChannel(sums, (*x).c1, (*w).c1);
  accumulateChannel(sums, (*x).c2, (*w).c2);
  accumulateChannel(sums, (*x).c3, (*w).c3);
}

// Not a loop: WebGPU counts the turns of loops, and vectors would not overlap.
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

// Where an invocation's loads are at the first tap and channel, and which taps of its pixels lie inside the source: six
// bits for each pixel of a block. A step adds the same to the index of every invocation.
struct Origins {
  x0: vec4u,
  x1: vec4u,
  inside0: u32,
  inside1: u32,
  weights: u32,
}

struct Block {
  origins: vec4u,
  inside: u32,
}

fn blockOf(tile: Tile, block: u32, images: u32, backward: bool) -> Block {
  let step = select(1u, stride, backward);
  let first = block / vectorsPerStep * 4u;
  let p0 = pixelOf(tile, first, images, step);
  let p1 = pixelOf(tile, first + 1u, images, step);
  let p2 = pixelOf(tile, first + 2u, images, step);
  let p3 = pixelOf(tile, first + 3u, images, step);
  let origins = vec4u(originOf(p0, backward), originOf(p1, backward), originOf(p2, backward), originOf(p3, backward));
  let inside = tapsInside(p0, backward) | (tapsInside(p1, backward) << 6u) | (tapsInside(p2, backward) << 12u) |
    (tapsInside(p3, backward) << 18u);
  return Block(origins + block % vectorsPerStep, inside);
}

// Four source channels × four result channels of a tap are in four rows of the weights, in either direction.
fn weightRow(backward: bool) -> u32 {
  return select(resultChannels / 4u, sourceChannels / 4u, backward);
}

// Invocations that stage no weights load the last block again, because a branch would wait for memory.
fn weightBlock(thread: u32) -> u32 {
  return min(thread, weightBlocks - 1u);
}

fn originsOf(tile: Tile, images: u32, thread: u32, backward: bool) -> Origins {
  let a = blockOf(tile, thread, images, backward);
  var b = Block();
  if (twoBlocks) {
    b = blockOf(tile, thread + threads, images, backward);
  }
  let channel = weightBlock(thread) % vectorsPerStep;
  let result = tile.channel + weightBlock(thread) / vectorsPerStep;
  let firstWeight = tile.weightSet * kernel * kernel * sourceChannels * (resultChannels / 4u);
  let own = select(4u * channel * weightRow(backward) + result, 4u * result * weightRow(backward) + channel, backward);
  return Origins(a.origins, b.origins, a.inside, b.inside, firstWeight + own);
}

// What an invocation has loaded for a step, and which parts of it are zeros instead. This is decided when it is staged,
// because a branch or a selection earlier would wait for memory.
struct Loaded {
  weights: mat4x4f,
  x0: mat4x4f,
  x1: mat4x4f,
  inside0: vec4<bool>,
  inside1: vec4<bool>,
  areWeights: bool,
}

// Four channels of four pixels, with any values for pixels in the padding.
fn loadBlock(at: vec4u) -> mat4x4f {
  return mat4x4f(vec4f(source[at.x]), vec4f(source[at.y]), vec4f(source[at.z]), vec4f(source[at.w]));
}

// Which pixels of a block lie inside the source at a tap.
fn areInside(inside: u32, tap: vec2u) -> vec4<bool> {
  if (unpadded) {
    return vec4<bool>(true);
  }
  let bits = vec4u((1u << tap.x) | (8u << tap.y)) << vec4u(0u, 6u, 12u, 18u);
  return (vec4u(inside) & bits) == bits;
}

fn isChannel(block: u32, channel: u32) -> bool {
  return wholeSteps || channel + block % vectorsPerStep < sourceChannels / 4u;
}

// Where a step's vectors are, worked out before the last step's are staged, so that compilers load into the same
// registers again.
struct Addresses {
  x0: vec4u,
  x1: vec4u,
  weights: u32,
}

fn blockAt(origins: vec4u, at: u32) -> vec4u {
  return select(origins + at, origins.x + at + sourceChannels / 4u * vec4u(0u, 1u, 2u, 3u), isFlat);
}

fn addressesOf(origins: Origins, tap: vec2u, channel: u32, backward: bool) -> Addresses {
  let lines = linesTo(tap.x, backward) * i32(sourceWidth) + linesTo(tap.y, backward);
  let at = u32(lines) * (sourceChannels / 4u) + channel;
  let block = (tap.x * kernel + tap.y) * sourceChannels * (resultChannels / 4u) + channel * select(4u * weightRow(backward), 1u, backward);
  return Addresses(blockAt(origins.x0, at), blockAt(origins.x1, at), origins.weights + block);
}

fn load(at: Addresses, origins: Origins, tile: Tile, thread: u32, tap: vec2u, channel: u32, backward: bool) -> Loaded {
  let row = weightRow(backward);
  let w = at.weights;
  var second = mat4x4f();
  var insideSecond = vec4<bool>();
  if (twoBlocks) {
    second = loadBlock(at.x1);
    insideSecond = areInside(origins.inside1, tap) & vec4<bool>(isChannel(thread + threads, channel));
  }
  let result = tile.channel + weightBlock(thread) / vectorsPerStep;
  return Loaded(
    mat4x4f(weight[w], weight[w + row], weight[w + 2u * row], weight[w + 3u * row]),
    loadBlock(at.x0),
    second,
    areInside(origins.inside0, tap) & vec4<bool>(isChannel(thread, channel)),
    insideSecond,
    isChannel(weightBlock(thread), channel) && (wholeTiles || result < resultChannels / 4u),
  );
}

fn loadNow(origins: Origins, tile: Tile, thread: u32, tap: vec2u, channel: u32, backward: bool) -> Loaded {
  return load(addressesOf(origins, tap, channel, backward), origins, tile, thread, tap, channel, backward);
}

// Channel by channel, each of four pixels.
fn stageBlock(block: u32, x: mat4x4f, inside: vec4<bool>) {
  if (!evenBlocks && block >= pixelBlocks) {
    return;
  }
  let four = block / vectorsPerStep;
  let place = &pixels[block % vectorsPerStep * pixelRow + four % pixelThreads];
  let half = four / pixelThreads;
  (*place).c0[half] = select(vec4f(), vec4f(x[0].x, x[1].x, x[2].x, x[3].x), inside);
  (*place).c1[half] = select(vec4f(), vec4f(x[0].y, x[1].y, x[2].y, x[3].y), inside);
  (*place).c2[half] = select(vec4f(), vec4f(x[0].z, x[1].z, x[2].z, x[3].z), inside);
  (*place).c3[half] = select(vec4f(), vec4f(x[0].w, x[1].w, x[2].w, x[3].w), inside);
}

fn stage(thread: u32, loaded: Loaded, backward: bool) {
  stageBlock(thread, loaded.x0, loaded.inside0);
  if (twoBlocks) {
    stageBlock(thread + threads, loaded.x1, loaded.inside1);
  }
  if (thread < weightBlocks) {
    let channel = thread / vectorsPerStep;
    let place = &weights[thread % vectorsPerStep * channelRow + channel % channelThreads];
    let half = channel / channelThreads;
    var w = loaded.weights;
    if (backward) {
      w = transpose(w);
    }
    // Decided here as well, because compilers do not follow a constant through a loop.
    let exist = (wholeSteps && wholeTiles) || loaded.areWeights;
    (*place).c0[half] = select(vec4f(), w[0], exist);
    (*place).c1[half] = select(vec4f(), w[1], exist);
    (*place).c2[half] = select(vec4f(), w[2], exist);
    (*place).c3[half] = select(vec4f(), w[3], exist);
  }
}

// The first tap (ky, kx) that meets whole source pixels from the tile's phase. Backward, the others follow in steps of
// the stride.
fn firstTap(tile: Tile, backward: bool) -> vec2u {
  let step = select(1u, stride, backward);
  return vec2u((tile.phaseY + padding) % step, (tile.phaseX + padding) % step);
}

fn tapAfter(tap: vec2u, first: vec2u, backward: bool) -> vec2u {
  let step = select(1u, stride, backward);
  if (tap.y + step < kernel) {
    return vec2u(tap.x, tap.y + step);
  }
  return vec2u(tap.x + step, first.y);
}

fn convolve(tile: Tile, images: u32, thread: u32, backward: bool) -> Sums {
  var sums = Sums();
  let first = firstTap(tile, backward);
  if (first.x >= kernel || first.y >= kernel) {
    return sums;
  }
  var tap = first;
  let origins = originsOf(tile, images, thread, backward);
  var channel = 0u;
  var next = Loaded();
  if (loadsAhead) {
    next = loadNow(origins, tile, thread, tap, channel, backward);
  }
  while (tap.x < kernel) {
    if (!loadsAhead) {
      next = loadNow(origins, tile, thread, tap, channel, backward);
    }
    channel += vectorsPerStep;
    if (channel >= sourceChannels / 4u) {
      channel = 0u;
      tap = tapAfter(tap, first, backward);
    }
    let addresses = addressesOf(origins, tap, channel, backward);
    // Nobody reads the last step's tiles any more.
    workgroupBarrier();
    stage(thread, next, backward);
    workgroupBarrier();
    if (loadsAhead && tap.x < kernel) {
      next = load(addresses, origins, tile, thread, tap, channel, backward);
    }
    accumulateStep(&sums, thread % pixelThreads, thread / pixelThreads);
  }
  return sums;
}

// Index of the first vector of channels of this invocation's pixel number i, or −1 if there is none.
fn resultAt(tile: Tile, images: u32, thread: u32, i: u32, step: u32) -> i32 {
  let four = thread % pixelThreads + i / 4u * pixelThreads;
  let pixel = pixelOf(tile, 4u * four + i % 4u, images, step);
  let row = resultChannels / 4u;
  return select(-1, i32(((pixel.image * height + pixel.y) * width + pixel.x) * row), pixel.exists);
}

fn storeOutput(tile: Tile, images: u32, thread: u32, i: u32, value: Pair) {
  let at = resultAt(tile, images, thread, i, 1u);
  let row = resultChannels / 4u;
  let channel = tile.channel + thread / pixelThreads;
  if (at >= 0 && channel < row) {
    output[u32(at) + channel] = Output(value.a);
  }
  if (channelVectors > 1u && at >= 0 && channel + channelThreads < row) {
    output[u32(at) + channel + channelThreads] = Output(value.b);
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
  if (channelVectors > 1u && at >= 0 && channel + channelThreads < row) {
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
  let last = resultChannels / 4u - 1u;
  let channel = tile.channel + thread / pixelThreads;
  let offset = Pair(bias[min(channel, last)], bias[min(channel + channelThreads, last)]);
  storeOutput(tile, images, thread, 0u, add(offset, sums.p0));
  storeOutput(tile, images, thread, 1u, add(offset, sums.p1));
  storeOutput(tile, images, thread, 2u, add(offset, sums.p2));
  storeOutput(tile, images, thread, 3u, add(offset, sums.p3));
  storeOutput(tile, images, thread, 4u, add(offset, sums.p4));
  storeOutput(tile, images, thread, 5u, add(offset, sums.p5));
  storeOutput(tile, images, thread, 6u, add(offset, sums.p6));
  storeOutput(tile, images, thread, 7u, add(offset, sums.p7));
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
