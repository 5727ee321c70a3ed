// partials[g, k, 0, c] = mean of the k-th chunk of group g's rows, partials[g, k, 1, c] = Σ (x − that mean)² over the chunk
//
// input    [groups, rows, channels]       float32, channels a multiple of 4
// partials [groups, chunks, 2, channels]
// rowsPerGroup: rows of a group; allRows: of all groups.
// rowsPerChunk: rows of one chunk; the last of a group may have fewer.
//
// One pass, over the differences from the chunk's first row: that is a typical value, so no digits are lost to a mean that is
// large compared with the deviations.
//
// Entry point `main`; or `throughTextures`, which reads from textures of format rgba32float, 1,024 texels wide, that hold the
// operands row by row: much faster on lavapipe.

struct Shape {
  channels: u32,
  rowsPerGroup: u32,
  rowsPerChunk: u32,
  allRows: u32,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(0) var inputTexture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

// Rows of an invocation, from the first to before the end, and its four channels; no rows if it has nothing to do.
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

fn chunkOf(i: u32, count: u32) -> Chunk {
  let row = shape.channels / 4u;
  let number = i / row;
  let rows = shape.rowsPerGroup;
  let chunksPerGroup = (rows + shape.rowsPerChunk - 1u) / shape.rowsPerChunk;
  let start = number / chunksPerGroup * rows;
  let first = start + number % chunksPerGroup * shape.rowsPerChunk;
  return Chunk(number, first, min(min(first + shape.rowsPerChunk, start + rows), count), i % row);
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = shape.channels / 4u;
  let chunk = chunkOf(id.x + id.y * groups.x * 64u, shape.allRows);
  if (chunk.first >= chunk.end) {
    return;
  }
  let origin = input[chunk.first * row + chunk.c];
  var sums = Sums();
  for (var r = chunk.first; r < chunk.end; r++) {
    sums = addTo(sums, input[r * row + chunk.c] - origin);
  }
  store(chunk, origin, sums);
}

@compute @workgroup_size(8)
fn throughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = shape.channels / 4u;
  let chunk = chunkOf(id.x + id.y * groups.x * 8u, shape.allRows);
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
