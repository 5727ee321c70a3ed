// partials[h, k, 0, c] = Σ g, partials[h, k, 1, c] = Σ g · normal over the k-th chunk of group h's rows, where
// normal = (input − mean) · inverseDeviation, value = normal · scale + shift,
// g = outputGradient · (value > 0 ? 1 : slope)
//
// input, outputGradient [groups, rows, channels]; statistics [groups, 2, channels] = (mean, inverseDeviation);
// scale, shift [channels]; partials [groups, chunks, 2, channels]: float32.
// rowsPerGroup: rows of a group; allRows: of all groups.
//
// Entry points as in norm_moments: `main`, where a workgroup takes a chunk of eight vectors of channels, or
// `throughTextures`, where an invocation takes a chunk of one, reading from textures.

override slope: f32 = 1.0;

struct Shape {
  channels: u32,
  rowsPerGroup: u32,
  rowsPerChunk: u32,
  allRows: u32,
}

// vec4h in variants in half precision.
alias Input = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read> shift: array<vec4f>;
@group(0) @binding(4) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(0) var inputTexture: texture_2d<f32>;
@group(0) @binding(1) var statisticsTexture: texture_2d<f32>;
@group(0) @binding(2) var scaleTexture: texture_2d<f32>;
@group(0) @binding(3) var shiftTexture: texture_2d<f32>;
@group(0) @binding(4) var outputGradientTexture: texture_2d<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

const vectors = 8u;
const lanes = 8u;

// Rows of a chunk, from the first to before the end, with their group and four channels; no rows if there is no work.
struct Chunk {
  number: u32,
  group: u32,
  first: u32,
  end: u32,
  c: u32,
}

struct Channel {
  mean: vec4f,
  inverseDeviation: vec4f,
  scale: vec4f,
  shift: vec4f,
}

struct Sums {
  gradients: vec4f,
  products: vec4f,
}

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

var<workgroup> laneGradients: array<vec4f, vectors * lanes>;
var<workgroup> laneProducts: array<vec4f, vectors * lanes>;

fn chunkOf(number: u32, c: u32) -> Chunk {
  let rows = shape.rowsPerGroup;
  let chunksPerGroup = (rows + shape.rowsPerChunk - 1u) / shape.rowsPerChunk;
  let group = number / chunksPerGroup;
  let first = group * rows + number % chunksPerGroup * shape.rowsPerChunk;
  let last = min(min(first + shape.rowsPerChunk, (group + 1u) * rows), shape.allRows);
  return Chunk(number, group, first, select(first, last, c < shape.channels / 4u), c);
}

fn addTo(sums: Sums, x: vec4f, gradient: vec4f, channel: Channel) -> Sums {
  let normal = (x - channel.mean) * channel.inverseDeviation;
  let value = fma(normal, channel.scale, channel.shift);
  let g = gradient * select(vec4f(slope), vec4f(1.0), value > vec4f());
  return Sums(sums.gradients + g, fma(g, normal, sums.products));
}

fn store(chunk: Chunk, sums: Sums) {
  let row = shape.channels / 4u;
  partials[2u * chunk.number * row + chunk.c] = sums.gradients;
  partials[(2u * chunk.number + 1u) * row + chunk.c] = sums.products;
}

@compute @workgroup_size(vectors, lanes)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = shape.channels / 4u;
  let tiles = (row + vectors - 1u) / vectors;
  let i = group.x + group.y * groups.x;
  let chunk = chunkOf(i / tiles, i % tiles * vectors + local.x);
  let own = 2u * chunk.group * row + chunk.c;
  let channel = Channel(statistics[own], statistics[own + row], scale[chunk.c], shift[chunk.c]);
  let step = lanes * row;
  var sums = Sums();
  var r = chunk.first + local.y;
  var at = r * row + chunk.c;
  // Two at a time, so that loads do not wait for one another: compilers do not unroll this loop.
  for (; r + lanes < chunk.end; r += 2u * lanes) {
    let x0 = vec4f(input[at]);
    let x1 = vec4f(input[at + step]);
    let g0 = outputGradient[at];
    let g1 = outputGradient[at + step];
    sums = addTo(addTo(sums, x0, g0, channel), x1, g1, channel);
    at += 2u * step;
  }
  for (; r < chunk.end; r += lanes) {
    sums = addTo(sums, vec4f(input[at]), outputGradient[at], channel);
    at += step;
  }
  laneGradients[local.y * vectors + local.x] = sums.gradients;
  laneProducts[local.y * vectors + local.x] = sums.products;
  workgroupBarrier();
  if (local.y > 0u || chunk.first >= chunk.end) {
    return;
  }
  for (var lane = 1u; lane < lanes; lane++) {
    let other = lane * vectors + local.x;
    sums = Sums(sums.gradients + laneGradients[other], sums.products + laneProducts[other]);
  }
  store(chunk, sums);
}

@compute @workgroup_size(8)
fn throughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = shape.channels / 4u;
  let i = id.x + id.y * groups.x * 8u;
  let chunk = chunkOf(i / row, i % row);
  if (chunk.first >= chunk.end) {
    return;
  }
  let own = 2u * chunk.group * row + chunk.c;
  let channel = Channel(
    texel(statisticsTexture, own),
    texel(statisticsTexture, own + row),
    texel(scaleTexture, chunk.c),
    texel(shiftTexture, chunk.c),
  );
  var sums = Sums();
  for (var r = chunk.first; r < chunk.end; r++) {
    let at = r * row + chunk.c;
    sums = addTo(sums, texel(inputTexture, at), texel(outputGradientTexture, at), channel);
  }
  store(chunk, sums);
}
