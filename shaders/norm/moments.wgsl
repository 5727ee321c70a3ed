// partials[g, k, 0, c] = mean of the k-th chunk of group g's rows, partials[g, k, 1, c] = Σ (x − that mean)² over the chunk
//
// input    [groups, rows, channels]       float32, channels a multiple of 4
// partials [groups, chunks, 2, channels]
// rowsPerGroup: rows of a group; allRows: of all groups.
// rowsPerChunk: rows of one chunk; the last of a group may have fewer.
//
// One pass, over the differences from the chunk's first row. That row is a typical value, so no digits are lost to a
// mean that is large compared with the deviations.
//
// Entry point `main`: a workgroup takes a chunk of eight vectors of channels, and its invocations every eighth row of
// one. Then the first row of invocations adds the eight sums, in order. In `throughTextures` an invocation takes a
// chunk of one vector, and reads from textures of format rgba32float, 1,024 texels wide, that hold the operands row by
// row: much faster on software adapters.

struct Shape {
  channels: u32,
  rowsPerGroup: u32,
  rowsPerChunk: u32,
  allRows: u32,
}

// vec4h in variants in half precision.
alias Input = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(0) var inputTexture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

const vectors = 8u;
const lanes = 8u;

// Rows of a chunk, from the first to before the end, with four channels; no rows if there is no work.
struct Chunk {
  number: u32,
  first: u32,
  end: u32,
  c: u32,
}

struct Sums {
  values: vec4f,
  squares: vec4f,
}

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

var<workgroup> laneValues: array<vec4f, vectors * lanes>;
var<workgroup> laneSquares: array<vec4f, vectors * lanes>;

fn chunkOf(number: u32, c: u32) -> Chunk {
  let rows = shape.rowsPerGroup;
  let chunksPerGroup = (rows + shape.rowsPerChunk - 1u) / shape.rowsPerChunk;
  let start = number / chunksPerGroup * rows;
  let first = start + number % chunksPerGroup * shape.rowsPerChunk;
  let end = select(first, min(min(first + shape.rowsPerChunk, start + rows), shape.allRows), c < shape.channels / 4u);
  return Chunk(number, first, end, c);
}

fn addTo(sums: Sums, difference: vec4f) -> Sums {
  return Sums(sums.values + difference, fma(difference, difference, sums.squares));
}

fn store(chunk: Chunk, origin: vec4f, sums: Sums) {
  let row = shape.channels / 4u;
  let mean = sums.values / f32(chunk.end - chunk.first);
  partials[2u * chunk.number * row + chunk.c] = origin + mean;
  partials[(2u * chunk.number + 1u) * row + chunk.c] = sums.squares - sums.values * mean;
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
  let origin = vec4f(input[chunk.first * row + chunk.c]);
  let step = lanes * row;
  var sums = Sums();
  var r = chunk.first + local.y;
  var at = r * row + chunk.c;
  // Four at a time, so that loads do not wait for one another: compilers do not unroll this loop.
  for (; r + 3u * lanes < chunk.end; r += 4u * lanes) {
    let x0 = vec4f(input[at]);
    let x1 = vec4f(input[at + step]);
    let x2 = vec4f(input[at + 2u * step]);
    let x3 = vec4f(input[at + 3u * step]);
    sums = addTo(addTo(addTo(addTo(sums, x0 - origin), x1 - origin), x2 - origin), x3 - origin);
    at += 4u * step;
  }
  for (; r < chunk.end; r += lanes) {
    sums = addTo(sums, vec4f(input[at]) - origin);
    at += step;
  }
  laneValues[local.y * vectors + local.x] = sums.values;
  laneSquares[local.y * vectors + local.x] = sums.squares;
  workgroupBarrier();
  if (local.y > 0u || chunk.first >= chunk.end) {
    return;
  }
  for (var lane = 1u; lane < lanes; lane++) {
    let other = lane * vectors + local.x;
    sums = Sums(sums.values + laneValues[other], sums.squares + laneSquares[other]);
  }
  store(chunk, origin, sums);
}

@compute @workgroup_size(8)
fn throughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = shape.channels / 4u;
  let i = id.x + id.y * groups.x * 8u;
  let chunk = chunkOf(i / row, i % row);
  if (chunk.first >= chunk.end) {
    return;
  }
  let origin = texel(inputTexture, chunk.first * row + chunk.c);
  var sums = Sums();
  for (var r = chunk.first; r < chunk.end; r++) {
    sums = addTo(sums, texel(inputTexture, r * row + chunk.c) - origin);
  }
  store(chunk, origin, sums);
}
