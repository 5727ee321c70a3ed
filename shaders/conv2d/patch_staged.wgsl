// 3×3 convolution of stride 1 to at most 16 channels, and its gradient with respect to the input, from patches staged
// in workgroup memory.
//
// output[n, y, x, o] = bias[o] + Σ_ky,kx,c source[n, y + ky − padding, x + kx − padding, c] · weight[ky, kx, c, o]
//                                                                                            (entry point `forward`)
// gradient[n, y, x, c] (=|+=) Σ_ky,kx,o source[n, y + padding − ky, x + padding − kx, o] · weight[ky, kx, c, o]
//                                                                                      (entry point `gradientInput`)
//
// source [N, sourceHeight, sourceWidth, sourceChannels] float32: the input, or the gradient with respect to the output
// weight   [3, 3, inChannels, outChannels]                  of the convolution itself, not of its gradient
// bias     [resultChannels]
// output, gradient [N, height, width, resultChannels]       N follows from the length
// Channels are multiples of 4. accumulate: add to what the result holds.
//
// An invocation computes 8 pixels of a row × channelVectors (1 or 2) vectors of channels in registers. The 64 of a
// workgroup compute patchRows × 32 pixels × all channels. They share what they load, four source channels at a time: a
// patch of the source, with two more rows and columns than that, and the weights of all nine taps. So a source value is
// loaded once for nine taps. The values of the next four channels move from memory to registers while these are summed.

override sourceHeight: u32 = 32u;
override sourceWidth: u32 = 32u;
override sourceChannels: u32 = 16u;
override height: u32 = 32u;
override width: u32 = 32u;
override resultChannels: u32 = 4u;
override padding: u32 = 1u;
override accumulate: bool = false;
// Sizes for the largest patch. loads: pairs of rows of the source.
override channelThreads: u32 = 1u;
override channelVectors: u32 = 1u;
override loads: u32 = 9u;

// vec4h in variants in half precision.
alias Source = vec4f;
alias Output = vec4f;

@group(0) @binding(0) var<storage, read> source: array<Source>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<Output>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4f>;

const kernel = 3u;
const threads = 64u;
// Invocations side by side, each with 8 pixels of a row.
const eightsAcross = 4u;
const patchColumns = 32u;
// Rows of the patch, without its last two columns, that the workgroup loads at a time.
const rowsPerLoad = 2u;

override pixelThreads = threads / channelThreads;
override patchRows = pixelThreads / eightsAcross;
override sourceRows = loads * rowsPerLoad;
override sourceVectors = sourceChannels / 4u;
override resultVectors = resultChannels / 4u;
// Blocks of 4 × 4 weights, at most one for an invocation.
override slots = channelThreads * channelVectors;
override weightBlocks = kernel * kernel * slots;

// Two channels of eight pixels of a row. With all four, those that an invocation reads for a row of taps would take
// twice the registers. Members and constants are not indices, which compilers clamp. The length, and the odd number of
// them in a row, keep what neighbouring invocations read at the same time in different banks of memory.
alias Eight = array<vec2f, 9>;
const eightsPerRow = 5u;
// Rows that the workgroup loads at a time.
alias Rows = array<array<array<Eight, eightsPerRow>, 2>, rowsPerLoad>;
var<workgroup> pixels: array<Rows, loads>;

// What an invocation needs for a tap: two vectors of result channels for each source channel, with the source channels
// two by two.
alias Two = array<vec4f, 2>;
struct Half {
  c0: Two,
  c1: Two,
}
alias Tap = array<Half, 2>;
var<workgroup> weights: array<array<Tap, 9>, channelThreads>;

// What a workgroup computes: patchRows × patchColumns pixels from (y, x) on.
struct Region {
  image: u32,
  y: u32,
  x: u32,
}

fn regionOf(workgroup: u32) -> Region {
  let across = (width + patchColumns - 1u) / patchColumns;
  let down = (height + patchRows - 1u) / patchRows;
  return Region(workgroup / across / down, workgroup / across % down * patchRows, workgroup % across * patchColumns);
}

// A pixel's sums: four channels, and four channels channelThreads vectors on.
struct Pair {
  a: vec4f,
  b: vec4f,
}

struct Sums {
  p0: Pair, p1: Pair, p2: Pair, p3: Pair, p4: Pair, p5: Pair, p6: Pair, p7: Pair,
}

fn add(x: Pair, y: Pair) -> Pair {
  return Pair(x.a + y.a, x.b + y.b);
}

fn addPixel(sum: Pair, x: f32, w: Two) -> Pair {
  return Pair(fma(vec4f(x), w[0], sum.a), fma(vec4f(x), w[1], sum.b));
}

// A source channel of eight pixels, for this invocation's channels.
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

// Two channels of eight pixels of a row.
struct Pixels {
  p0: vec2f, p1: vec2f, p2: vec2f, p3: vec2f, p4: vec2f, p5: vec2f, p6: vec2f, p7: vec2f,
}

fn accumulateTap(sums: ptr<function, Sums>, x: Pixels, channelThread: u32, tap: u32, half: u32) {
  let w = &weights[channelThread][tap];
  let first = Two(vec4f(x.p0.x, x.p1.x, x.p2.x, x.p3.x), vec4f(x.p4.x, x.p5.x, x.p6.x, x.p7.x));
  let second = Two(vec4f(x.p0.y, x.p1.y, x.p2.y, x.p3.y), vec4f(x.p4.y, x.p5.y, x.p6.y, x.p7.y));
  accumulateChannel(sums, first, (*w)[half].c0);
  accumulateChannel(sums, second, (*w)[half].c1);
}

// Where an invocation's eight pixels are in the patch. Neighbouring invocations read from different banks of memory.
fn rowOf(pixelThread: u32) -> u32 {
  return pixelThread / 32u * 8u + pixelThread % 8u;
}

fn eightOf(pixelThread: u32) -> u32 {
  return pixelThread / 8u % eightsAcross;
}

// A row of taps: ten pixels of a row serve all three.
fn accumulateRow(sums: ptr<function, Sums>, pixelThread: u32, channelThread: u32, ky: u32, half: u32) {
  let row = rowOf(pixelThread) + ky;
  let eight = eightOf(pixelThread);
  let a = &pixels[row / rowsPerLoad][row % rowsPerLoad][half][eight];
  let b = &pixels[row / rowsPerLoad][row % rowsPerLoad][half][eight + 1u];
  let x = Pixels((*a)[0], (*a)[1], (*a)[2], (*a)[3], (*a)[4], (*a)[5], (*a)[6], (*a)[7]);
  accumulateTap(sums, x, channelThread, kernel * ky, half);
  let y = Pixels(x.p1, x.p2, x.p3, x.p4, x.p5, x.p6, x.p7, (*b)[0]);
  accumulateTap(sums, y, channelThread, kernel * ky + 1u, half);
  let z = Pixels(y.p1, y.p2, y.p3, y.p4, y.p5, y.p6, y.p7, (*b)[1]);
  accumulateTap(sums, z, channelThread, kernel * ky + 2u, half);
}

// Not a loop: WebGPU counts the turns of loops, and taps would not overlap.
fn accumulateStep(sums: ptr<function, Sums>, pixelThread: u32, channelThread: u32) {
  accumulateRow(sums, pixelThread, channelThread, 0u, 0u);
  accumulateRow(sums, pixelThread, channelThread, 1u, 0u);
  accumulateRow(sums, pixelThread, channelThread, 2u, 0u);
  accumulateRow(sums, pixelThread, channelThread, 0u, 1u);
  accumulateRow(sums, pixelThread, channelThread, 1u, 1u);
  accumulateRow(sums, pixelThread, channelThread, 2u, 1u);
}

// A pixel of the patch that an invocation loads.
struct Place {
  row: u32,
  column: u32,
}

// Number i of the pixels in all columns except the last two.
fn innerPlace(thread: u32, i: u32) -> Place {
  return Place(i * rowsPerLoad + thread / patchColumns, thread % patchColumns);
}

// A pixel in the last two columns. Invocations beyond the last row repeat it.
fn edgePlace(thread: u32) -> Place {
  return Place(min(thread / 2u, sourceRows - 1u), patchColumns + thread % 2u);
}

// Which of the pixels that an invocation loads lie inside the source.
struct Inside {
  x0: bool, x1: bool, x2: bool, x3: bool, x4: bool, x5: bool, x6: bool, x7: bool, x8: bool,
  edge: bool,
}

// The source line (row or column) where a patch begins.
fn firstLine(line: u32, backward: bool) -> i32 {
  return i32(line) - select(i32(padding), i32(kernel - 1u) - i32(padding), backward);
}

fn isInside(region: Region, place: Place, backward: bool) -> bool {
  let y = firstLine(region.y, backward) + i32(place.row);
  let x = firstLine(region.x, backward) + i32(place.column);
  return place.row < sourceRows && u32(y) < sourceHeight && u32(x) < sourceWidth;
}

fn sourceAt(region: Region, place: Place, backward: bool) -> u32 {
  let y = i32(region.image * sourceHeight) + firstLine(region.y, backward) + i32(place.row);
  let x = firstLine(region.x, backward) + i32(place.column);
  return u32((y * i32(sourceWidth) + x) * i32(sourceVectors));
}

// Invocations that stage no weights load the last block again, because a branch would wait for memory.
fn weightAt(thread: u32, backward: bool) -> u32 {
  let block = min(thread, weightBlocks - 1u);
  let tap = block / slots;
  let slot = min(block % slots, resultVectors - 1u);
  let turned = (kernel * kernel - 1u - tap) * resultChannels + 4u * slot;
  return select(tap * sourceChannels * resultVectors + slot, turned * sourceVectors, backward);
}

fn insideOf(region: Region, thread: u32, backward: bool) -> Inside {
  return Inside(
    isInside(region, innerPlace(thread, 0u), backward),
    isInside(region, innerPlace(thread, 1u), backward),
    isInside(region, innerPlace(thread, 2u), backward),
    isInside(region, innerPlace(thread, 3u), backward),
    isInside(region, innerPlace(thread, 4u), backward),
    isInside(region, innerPlace(thread, 5u), backward),
    isInside(region, innerPlace(thread, 6u), backward),
    isInside(region, innerPlace(thread, 7u), backward),
    isInside(region, innerPlace(thread, 8u), backward),
    isInside(region, edgePlace(thread), backward),
  );
}

// What an invocation has loaded for a step, with any values for pixels in the padding.
struct Loaded {
  weights: mat4x4f,
  edge: vec4f,
  x0: vec4f, x1: vec4f, x2: vec4f, x3: vec4f, x4: vec4f, x5: vec4f, x6: vec4f, x7: vec4f, x8: vec4f,
}

// Indices of the vectors that an invocation loads for a step. Each advances by itself from step to step, so that
// compilers load into the same registers again.
struct Addresses {
  x0: u32, x1: u32, x2: u32, x3: u32, x4: u32, x5: u32, x6: u32, x7: u32, x8: u32,
  edge: u32,
  weights: vec4u,
}

fn firstAddresses(region: Region, thread: u32, backward: bool) -> Addresses {
  let x = sourceAt(region, innerPlace(thread, 0u), backward);
  let down = rowsPerLoad * sourceWidth * sourceVectors;
  let row = select(resultVectors, sourceVectors, backward);
  return Addresses(
    x, x + down, x + 2u * down, x + 3u * down, x + 4u * down, x + 5u * down, x + 6u * down, x + 7u * down, x + 8u * down,
    sourceAt(region, edgePlace(thread), backward),
    weightAt(thread, backward) + row * vec4u(0u, 1u, 2u, 3u),
  );
}

fn addressesAfter(at: Addresses, backward: bool) -> Addresses {
  return Addresses(
    at.x0 + 1u, at.x1 + 1u, at.x2 + 1u, at.x3 + 1u, at.x4 + 1u, at.x5 + 1u, at.x6 + 1u, at.x7 + 1u, at.x8 + 1u,
    at.edge + 1u,
    at.weights + select(4u * resultVectors, 1u, backward),
  );
}

fn loadInner(at: u32, i: u32) -> vec4f {
  if (i >= loads) {
    return vec4f();
  }
  return vec4f(source[at]);
}

fn load(at: Addresses) -> Loaded {
  return Loaded(
    mat4x4f(weight[at.weights.x], weight[at.weights.y], weight[at.weights.z], weight[at.weights.w]),
    vec4f(source[at.edge]),
    loadInner(at.x0, 0u),
    loadInner(at.x1, 1u),
    loadInner(at.x2, 2u),
    loadInner(at.x3, 3u),
    loadInner(at.x4, 4u),
    loadInner(at.x5, 5u),
    loadInner(at.x6, 6u),
    loadInner(at.x7, 7u),
    loadInner(at.x8, 8u),
  );
}

// Pixels outside are zeros. This is decided here, because a branch or a selection earlier would wait for memory.
fn stageInner(thread: u32, i: u32, inside: bool, x: vec4f) {
  if (i < loads) {
    let column = thread % patchColumns;
    let value = select(vec4f(), x, inside);
    pixels[i][thread / patchColumns][0][column / 8u][column % 8u] = vec2f(value.x, value.y);
    pixels[i][thread / patchColumns][1][column / 8u][column % 8u] = vec2f(value.z, value.w);
  }
}

fn stageEdge(thread: u32, inside: bool, x: vec4f) {
  if (thread < 2u * sourceRows) {
    let row = thread / 2u;
    let value = select(vec4f(), x, inside);
    pixels[row / rowsPerLoad][row % rowsPerLoad][0][eightsAcross][thread % 2u] = vec2f(value.x, value.y);
    pixels[row / rowsPerLoad][row % rowsPerLoad][1][eightsAcross][thread % 2u] = vec2f(value.z, value.w);
  }
}

fn stage(thread: u32, inside: Inside, loaded: Loaded, backward: bool) {
  if (thread < weightBlocks) {
    let tap = thread / slots;
    let slot = thread % slots;
    var w = loaded.weights;
    if (backward) {
      w = transpose(w);
    }
    let place = &weights[slot % channelThreads][tap];
    let half = slot / channelThreads;
    (*place)[0].c0[half] = w[0];
    (*place)[0].c1[half] = w[1];
    (*place)[1].c0[half] = w[2];
    (*place)[1].c1[half] = w[3];
  }
  stageEdge(thread, inside.edge, loaded.edge);
  stageInner(thread, 0u, inside.x0, loaded.x0);
  stageInner(thread, 1u, inside.x1, loaded.x1);
  stageInner(thread, 2u, inside.x2, loaded.x2);
  stageInner(thread, 3u, inside.x3, loaded.x3);
  stageInner(thread, 4u, inside.x4, loaded.x4);
  stageInner(thread, 5u, inside.x5, loaded.x5);
  stageInner(thread, 6u, inside.x6, loaded.x6);
  stageInner(thread, 7u, inside.x7, loaded.x7);
  stageInner(thread, 8u, inside.x8, loaded.x8);
}

fn convolve(region: Region, thread: u32, backward: bool) -> Sums {
  var sums = Sums();
  let inside = insideOf(region, thread, backward);
  let pixelThread = thread % pixelThreads;
  let channelThread = thread / pixelThreads;
  var addresses = firstAddresses(region, thread, backward);
  var next = load(addresses);
  for (var channel = 0u; channel < sourceVectors; channel++) {
    addresses = addressesAfter(addresses, backward);
    // Nobody reads the last step's patch any more.
    workgroupBarrier();
    stage(thread, inside, next, backward);
    workgroupBarrier();
    if (channel + 1u < sourceVectors) {
      next = load(addresses);
    }
    accumulateStep(&sums, pixelThread, channelThread);
  }
  return sums;
}

// Index of the first vector of channels of this invocation's pixel number i, or −1 if there is none.
fn resultAt(region: Region, images: u32, thread: u32, i: u32) -> i32 {
  let pixelThread = thread % pixelThreads;
  let y = region.y + rowOf(pixelThread);
  let x = region.x + 8u * eightOf(pixelThread) + i;
  let exists = region.image < images && y < height && x < width;
  return select(-1, i32(((region.image * height + y) * width + x) * resultVectors), exists);
}

fn storeOutput(region: Region, images: u32, thread: u32, i: u32, value: Pair) {
  let at = resultAt(region, images, thread, i);
  let channel = thread / pixelThreads;
  if (at >= 0 && channel < resultVectors) {
    output[u32(at) + channel] = Output(value.a);
  }
  if (channelVectors > 1u && at >= 0 && channel + channelThreads < resultVectors) {
    output[u32(at) + channel + channelThreads] = Output(value.b);
  }
}

fn addTo(place: u32, value: vec4f) {
  gradient[place] = select(value, gradient[place] + value, accumulate);
}

fn storeGradient(region: Region, images: u32, thread: u32, i: u32, sum: Pair) {
  let at = resultAt(region, images, thread, i);
  let channel = thread / pixelThreads;
  if (at >= 0 && channel < resultVectors) {
    addTo(u32(at) + channel, sum.a);
  }
  if (channelVectors > 1u && at >= 0 && channel + channelThreads < resultVectors) {
    addTo(u32(at) + channel + channelThreads, sum.b);
  }
}

@compute @workgroup_size(threads)
fn forward(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let images = arrayLength(&output) / (height * width * resultVectors);
  let region = regionOf(id.x + id.y * groups.x);
  let sums = convolve(region, thread, false);
  let channel = thread / pixelThreads;
  let last = resultVectors - 1u;
  let offset = Pair(bias[min(channel, last)], bias[min(channel + channelThreads, last)]);
  storeOutput(region, images, thread, 0u, add(offset, sums.p0));
  storeOutput(region, images, thread, 1u, add(offset, sums.p1));
  storeOutput(region, images, thread, 2u, add(offset, sums.p2));
  storeOutput(region, images, thread, 3u, add(offset, sums.p3));
  storeOutput(region, images, thread, 4u, add(offset, sums.p4));
  storeOutput(region, images, thread, 5u, add(offset, sums.p5));
  storeOutput(region, images, thread, 6u, add(offset, sums.p6));
  storeOutput(region, images, thread, 7u, add(offset, sums.p7));
}

@compute @workgroup_size(threads)
fn gradientInput(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let images = arrayLength(&gradient) / (height * width * resultVectors);
  let region = regionOf(id.x + id.y * groups.x);
  let sums = convolve(region, thread, true);
  storeGradient(region, images, thread, 0u, sums.p0);
  storeGradient(region, images, thread, 1u, sums.p1);
  storeGradient(region, images, thread, 2u, sums.p2);
  storeGradient(region, images, thread, 3u, sums.p3);
  storeGradient(region, images, thread, 4u, sums.p4);
  storeGradient(region, images, thread, 5u, sums.p5);
  storeGradient(region, images, thread, 6u, sums.p6);
  storeGradient(region, images, thread, 7u, sums.p7);
}
