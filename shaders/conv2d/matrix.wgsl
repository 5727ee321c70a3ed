// Convolution, and its gradient with respect to the input, as a matrix product on an adapter's matrix units: float16
// factors, float32 sums.
//
// output[n, y, x, o] = bias[o] + Σ_ky,kx,c source[n, y·stride + ky − padding, x·stride + kx − padding, c] · weight[ky, kx, c, o]
//                                                                                            (entry point `forward`)
// gradient[n, y, x, c] (=|+=) Σ_ky,kx,o source[n, (y + padding − ky) / stride, (x + padding − kx) / stride, o] · weight[ky, kx, c, o]
//                                       over the taps for which both quotients are whole (entry point `gradientInput`)
//
// source   [N, sourceHeight, sourceWidth, sourceChannels]   float32: the input, or the gradient with respect to the output
// weight   [kernel, kernel, inChannels, outChannels]        of the convolution itself, not of its gradient
// bias     [resultChannels]
// output, gradient [N, height, width, resultChannels]       N follows from the length
// Channels are multiples of 4. accumulate: add to what the result holds. weightSets: how many weights lie one after the
// other; each is for an equal part of the images, and no tile spans two of them. With 1×1 kernels that is a batch of
// matrix products. Source and weight are rounded to float16, the source times `scale`, a power of two that the sums are
// divided by again. Without it float16 would round many gradients, which are small, to zero.
//
// Rows of the product are pixels, columns are channels, and the inner dimension runs over taps, then channels, as in
// staged.wgsl, which numbers pixels in the same way. A step stages twice the matrices' inner size in channels of one
// tap. Each of the four subgroups of a workgroup computes 2 × 2 matrices. Sums go through workgroup memory, because
// nothing says which invocation holds which.

enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

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
override scale: f32 = 1.0;

// What the adapter multiplies at once, and the invocations of a subgroup. The launcher puts in the adapter's values.
const matrixRows = 8u;
const matrixColumns = 8u;
const matrixInner = 8u;
const subgroupSize = 8u;

// vec4h in variants in half precision.
alias Source = vec4f;
alias Output = vec4f;

@group(0) @binding(0) var<storage, read> source: array<Source>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<Output>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4f>;

alias Left = subgroup_matrix_left<f16, matrixInner, matrixRows>;
alias Right = subgroup_matrix_right<f16, matrixColumns, matrixInner>;
alias Result = subgroup_matrix_result<f32, matrixColumns, matrixRows>;
// Matrices of a subgroup, row by row.
alias Sums = array<Result, 4>;

const subgroupsAcross = 2u;
const subgroups = subgroupsAcross * subgroupsAcross;
const invocations = subgroups * subgroupSize;
const matricesAcross = 2u;
const tilePixels = subgroupsAcross * matricesAcross * matrixRows;
const tileChannels = subgroupsAcross * matricesAcross * matrixColumns;
const channelsPerStep = 2u * matrixInner;
const vectorsPerStep = channelsPerStep / 4u;
const matrixVectors = matrixRows * matrixColumns / 4u;

// Pixels × channels of a step.
var<workgroup> pixels: array<f16, tilePixels * channelsPerStep>;
// Channels of a step × channels of the result; the other way round in the backward direction, as the weights lie.
var<workgroup> weights: array<f16, channelsPerStep * tileChannels>;
// A matrix of each subgroup.
var<workgroup> results: array<f32, subgroups * matrixRows * matrixColumns>;
// Index of the first channels of the source pixel that each pixel meets at a tap; missing for pixels in the padding.
var<workgroup> starts: array<u32, tilePixels>;

const missing = 0xffffffffu;

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
  let channelTiles = (resultChannels + tileChannels - 1u) / tileChannels;
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

fn sourceOf(pixel: Pixel, ky: u32, kx: u32, backward: bool) -> u32 {
  var y = i32(pixel.y * stride + ky) - i32(padding);
  var x = i32(pixel.x * stride + kx) - i32(padding);
  if (backward) {
    // Whole for the taps that `isMet` lets through.
    y = (i32(pixel.y + padding) - i32(ky)) / i32(stride);
    x = (i32(pixel.x + padding) - i32(kx)) / i32(stride);
    if (pixel.y + padding < ky || pixel.x + padding < kx) {
      return missing;
    }
  }
  if (!pixel.exists || y < 0 || y >= i32(sourceHeight) || x < 0 || x >= i32(sourceWidth)) {
    return missing;
  }
  return ((pixel.image * sourceHeight + u32(y)) * sourceWidth + u32(x)) * (sourceChannels / 4u);
}

// Whether a tap meets whole source pixels from this phase.
fn isMet(phase: u32, tap: u32, backward: bool) -> bool {
  return !backward || (phase + padding + kernel * stride - tap) % stride == 0u;
}

fn placeSources(tile: Tile, images: u32, thread: u32, tap: u32, backward: bool) {
  let step = select(1u, stride, backward);
  for (var i = thread; i < tilePixels; i += invocations) {
    starts[i] = sourceOf(pixelOf(tile, i, images, step), tap / kernel, tap % kernel, backward);
  }
}

// Channels are counted in vectors of four unless a comment says otherwise.
fn stagePixels(thread: u32, channel: u32) {
  for (var i = thread; i < tilePixels * vectorsPerStep; i += invocations) {
    let start = starts[i / vectorsPerStep];
    let vector = channel + i % vectorsPerStep;
    var x = vec4h();
    if (start != missing && vector < sourceChannels / 4u) {
      x = vec4h(scale * vec4f(source[start + vector]));
    }
    pixels[4u * i] = x[0];
    pixels[4u * i + 1u] = x[1];
    pixels[4u * i + 2u] = x[2];
    pixels[4u * i + 3u] = x[3];
  }
}

// Index of four weights of a tap, counted through all weights: of one source channel forward, of one result channel
// backward. The first and last `channel` of each are counted one by one.
fn weightVector(tap: u32, tile: Tile, i: u32, channel: u32, backward: bool) -> u32 {
  if (backward) {
    let result = tile.channel + i / vectorsPerStep;
    let vector = channel + i % vectorsPerStep;
    let exists = result < resultChannels && vector < sourceChannels / 4u;
    return select(missing, (tap * resultChannels + result) * (sourceChannels / 4u) + vector, exists);
  }
  const tileVectors = tileChannels / 4u;
  let inner = 4u * channel + i / tileVectors;
  let vector = tile.channel / 4u + i % tileVectors;
  let exists = inner < sourceChannels && vector < resultChannels / 4u;
  return select(missing, (tap * sourceChannels + inner) * (resultChannels / 4u) + vector, exists);
}

fn stageWeights(tile: Tile, thread: u32, tap: u32, channel: u32, backward: bool) {
  let setTap = tile.weightSet * kernel * kernel + tap;
  for (var i = thread; i < channelsPerStep * tileChannels / 4u; i += invocations) {
    let at = weightVector(setTap, tile, i, channel, backward);
    var w = vec4h();
    if (at != missing) {
      w = vec4h(weight[at]);
    }
    weights[4u * i] = w[0];
    weights[4u * i + 1u] = w[1];
    weights[4u * i + 2u] = w[2];
    weights[4u * i + 3u] = w[3];
  }
}

fn leftAt(subgroup: u32, row: u32, inner: u32) -> Left {
  let pixel = (subgroup / subgroupsAcross * matricesAcross + row) * matrixRows;
  return subgroupMatrixLoad<Left, row_major>(&pixels, pixel * channelsPerStep + inner, channelsPerStep);
}

fn rightAt(subgroup: u32, column: u32, inner: u32, backward: bool) -> Right {
  let channel = (subgroup % subgroupsAcross * matricesAcross + column) * matrixColumns;
  if (backward) {
    return subgroupMatrixLoad<Right, col_major>(&weights, channel * channelsPerStep + inner, channelsPerStep);
  }
  return subgroupMatrixLoad<Right, row_major>(&weights, inner * tileChannels + channel, tileChannels);
}

fn accumulateStep(sums: ptr<function, Sums>, subgroup: u32, backward: bool) {
  for (var inner = 0u; inner < channelsPerStep; inner += matrixInner) {
    let left0 = leftAt(subgroup, 0u, inner);
    let left1 = leftAt(subgroup, 1u, inner);
    let right0 = rightAt(subgroup, 0u, inner, backward);
    let right1 = rightAt(subgroup, 1u, inner, backward);
    (*sums)[0] = subgroupMatrixMultiplyAccumulate(left0, right0, (*sums)[0]);
    (*sums)[1] = subgroupMatrixMultiplyAccumulate(left0, right1, (*sums)[1]);
    (*sums)[2] = subgroupMatrixMultiplyAccumulate(left1, right0, (*sums)[2]);
    (*sums)[3] = subgroupMatrixMultiplyAccumulate(left1, right1, (*sums)[3]);
  }
}

fn convolve(sums: ptr<function, Sums>, tile: Tile, images: u32, thread: u32, subgroup: u32, backward: bool) {
  for (var tap = 0u; tap < kernel * kernel; tap++) {
    if (!isMet(tile.phaseY, tap / kernel, backward) || !isMet(tile.phaseX, tap % kernel, backward)) {
      continue;
    }
    placeSources(tile, images, thread, tap, backward);
    for (var channel = 0u; channel < sourceChannels / 4u; channel += vectorsPerStep) {
      // Sources are known, and nobody reads the last step's tiles any more.
      workgroupBarrier();
      stagePixels(thread, channel);
      stageWeights(tile, thread, tap, channel, backward);
      workgroupBarrier();
      accumulateStep(sums, subgroup, backward);
    }
  }
}

// Puts a matrix of each subgroup where all of its invocations can read it.
fn share(matrix: Result, subgroup: u32) {
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&results, subgroup * matrixRows * matrixColumns, matrix, matrixColumns);
  workgroupBarrier();
}

fn sumAt(subgroup: u32, i: u32) -> vec4f {
  let first = subgroup * matrixRows * matrixColumns + 4u * i;
  return vec4f(results[first], results[first + 1u], results[first + 2u], results[first + 3u]) / scale;
}

// Index of a vector of the result, number i of the matrix that is shared, and its channels; missing if there is none.
fn resultAt(tile: Tile, images: u32, subgroup: u32, matrix: u32, i: u32, step: u32) -> vec2u {
  const vectorsPerRow = matrixColumns / 4u;
  let matrixRow = subgroup / subgroupsAcross * matricesAcross + matrix / matricesAcross;
  let matrixColumn = subgroup % subgroupsAcross * matricesAcross + matrix % matricesAcross;
  let pixel = pixelOf(tile, matrixRow * matrixRows + i / vectorsPerRow, images, step);
  let channel = (tile.channel + matrixColumn * matrixColumns) / 4u + i % vectorsPerRow;
  if (!pixel.exists || channel >= resultChannels / 4u) {
    return vec2u(missing);
  }
  return vec2u(((pixel.image * height + pixel.y) * width + pixel.x) * (resultChannels / 4u) + channel, channel);
}

fn storeOutputs(tile: Tile, images: u32, subgroup: u32, lane: u32, matrix: u32, sums: Result) {
  share(sums, subgroup);
  for (var i = lane; i < matrixVectors; i += subgroupSize) {
    let at = resultAt(tile, images, subgroup, matrix, i, 1u);
    if (at.x != missing) {
      output[at.x] = Output(bias[at.y] + sumAt(subgroup, i));
    }
  }
}

fn storeGradients(tile: Tile, images: u32, subgroup: u32, lane: u32, matrix: u32, sums: Result) {
  share(sums, subgroup);
  for (var i = lane; i < matrixVectors; i += subgroupSize) {
    let at = resultAt(tile, images, subgroup, matrix, i, stride);
    if (at.x != missing) {
      let sum = sumAt(subgroup, i);
      gradient[at.x] = select(sum, gradient[at.x] + sum, accumulate);
    }
  }
}

@compute @workgroup_size(invocations)
fn forward(
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let images = arrayLength(&output) / (height * width * (resultChannels / 4u));
  let tile = tileOf(id.x + id.y * groups.x, images, 1u);
  var sums: Sums;
  convolve(&sums, tile, images, thread, subgroup, false);
  storeOutputs(tile, images, subgroup, lane, 0u, sums[0]);
  storeOutputs(tile, images, subgroup, lane, 1u, sums[1]);
  storeOutputs(tile, images, subgroup, lane, 2u, sums[2]);
  storeOutputs(tile, images, subgroup, lane, 3u, sums[3]);
}

@compute @workgroup_size(invocations)
fn gradientInput(
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let images = arrayLength(&gradient) / (height * width * (resultChannels / 4u));
  let tile = tileOf(id.x + id.y * groups.x, images, stride);
  var sums: Sums;
  convolve(&sums, tile, images, thread, subgroup, true);
  storeGradients(tile, images, subgroup, lane, 0u, sums[0]);
  storeGradients(tile, images, subgroup, lane, 1u, sums[1]);
  storeGradients(tile, images, subgroup, lane, 2u, sums[2]);
  storeGradients(tile, images, subgroup, lane, 3u, sums[3]);
}
