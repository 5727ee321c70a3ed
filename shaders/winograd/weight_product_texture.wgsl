// results[p, s, c, o] = Σ_t inputs[p, t, c] · gradients[p, t, o] over the s-th of `parts` equal parts of the tiles t:
// the products for the gradient of Winograd's convolution with respect to the weight
//
// inputs    [values, tiles, inChannels]                    float32, inChannels a multiple of 4
// gradients [values, tiles, outChannels]                   outChannels a multiple of 4
// results   [values, parts, inChannels, outChannels]       tiles are a multiple of parts
// Inputs and gradients are read through textures, see conv2d_patch_texture.
//
// An invocation computes 16 input × 16 output channels in named registers, four tiles at a time: 32 loads for 256
// multiply-adds of vectors, and a sum leaves its register once for each four tiles. All loads come before all sums, and
// sums are stored in a loop, see conv2d_forward_texture.

struct Shape {
  tiles: u32,
  tilesPerPart: u32,
  inChannels: u32,
  outChannels: u32,
}

@group(0) @binding(0) var inputs: texture_2d<f32>;
@group(0) @binding(1) var gradients: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> results: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

// Four channels of four tiles, a column for each; zero from the tile `end` on.
fn inputsAt(tile: u32, end: u32, channel: u32) -> mat4x4f {
  let row = shape.inChannels / 4u;
  let i = tile * row + channel;
  // Tiles before the end are loaded again, rather than one beyond the texture's last.
  let last = (end - 1u) * row + channel;
  return mat4x4f(
    texel(inputs, i),
    select(vec4f(), texel(inputs, min(i + row, last)), tile + 1u < end),
    select(vec4f(), texel(inputs, min(i + 2u * row, last)), tile + 2u < end),
    select(vec4f(), texel(inputs, min(i + 3u * row, last)), tile + 3u < end),
  );
}

// The same for the gradients, with any values from the tile `end` on, because they meet zeros.
fn gradientsAt(tile: u32, end: u32, channel: u32) -> mat4x4f {
  let row = shape.outChannels / 4u;
  let i = tile * row + channel;
  let last = (end - 1u) * row + channel;
  return mat4x4f(
    texel(gradients, i),
    texel(gradients, min(i + row, last)),
    texel(gradients, min(i + 2u * row, last)),
    texel(gradients, min(i + 3u * row, last)),
  );
}

// sum + Σ_t x[t] · d[t], in fused steps.
fn multiplyAdd(x: vec4f, d: mat4x4f, sum: vec4f) -> vec4f {
  return fma(vec4f(x.w), d[3], fma(vec4f(x.z), d[2], fma(vec4f(x.y), d[1], fma(vec4f(x.x), d[0], sum))));
}

// Adds the outer products of four input and four output channels, one column for each input channel.
fn addProducts(sum: mat4x4f, x: mat4x4f, d: mat4x4f) -> mat4x4f {
  return mat4x4f(
    multiplyAdd(vec4f(x[0].x, x[1].x, x[2].x, x[3].x), d, sum[0]),
    multiplyAdd(vec4f(x[0].y, x[1].y, x[2].y, x[3].y), d, sum[1]),
    multiplyAdd(vec4f(x[0].z, x[1].z, x[2].z, x[3].z), d, sum[2]),
    multiplyAdd(vec4f(x[0].w, x[1].w, x[2].w, x[3].w), d, sum[3]),
  );
}

fn store(part: u32, channel: u32, outChannel: u32, sum: mat4x4f) {
  let row = shape.outChannels / 4u;
  if (4u * channel >= shape.inChannels) {
    return;
  }
  let i = (part * shape.inChannels + 4u * channel) * row + outChannel;
  results[i] = sum[0];
  results[i + row] = sum[1];
  results[i + 2u * row] = sum[2];
  results[i + 3u * row] = sum[3];
}

fn either(takeFirst: bool, a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(
    select(b[0], a[0], takeFirst),
    select(b[1], a[1], takeFirst),
    select(b[2], a[2], takeFirst),
    select(b[3], a[3], takeFirst),
  );
}

// One of four values.
fn pick(k: u32, a: mat4x4f, b: mat4x4f, c: mat4x4f, d: mat4x4f) -> mat4x4f {
  return either(k < 2u, either(k == 0u, a, b), either(k == 2u, c, d));
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let row = shape.inChannels / 4u;
  let outRow = shape.outChannels / 4u;
  let outTiles = (outRow + 3u) / 4u;
  let inTiles = (row + 3u) / 4u;
  // Counted through all values of a tile. Channels beyond the last repeat it and are not stored.
  let part = i / outTiles / inTiles;
  let channel = i / outTiles % inTiles * 4u;
  let outChannel = i % outTiles * 4u;
  if (part * shape.inChannels * outRow >= arrayLength(&results)) {
    return;
  }
  let channel0 = channel;
  let channel1 = min(channel + 1u, row - 1u);
  let channel2 = min(channel + 2u, row - 1u);
  let channel3 = min(channel + 3u, row - 1u);
  let outChannel0 = outChannel;
  let outChannel1 = min(outChannel + 1u, outRow - 1u);
  let outChannel2 = min(outChannel + 2u, outRow - 1u);
  let outChannel3 = min(outChannel + 3u, outRow - 1u);
  var sum00 = mat4x4f(); var sum01 = mat4x4f(); var sum02 = mat4x4f(); var sum03 = mat4x4f();
  var sum10 = mat4x4f(); var sum11 = mat4x4f(); var sum12 = mat4x4f(); var sum13 = mat4x4f();
  var sum20 = mat4x4f(); var sum21 = mat4x4f(); var sum22 = mat4x4f(); var sum23 = mat4x4f();
  var sum30 = mat4x4f(); var sum31 = mat4x4f(); var sum32 = mat4x4f(); var sum33 = mat4x4f();
  let parts = shape.tiles / shape.tilesPerPart;
  let first = part / parts * shape.tiles + part % parts * shape.tilesPerPart;
  let end = first + shape.tilesPerPart;
  for (var tile = first; tile < end; tile += 4u) {
    let x0 = inputsAt(tile, end, channel0);
    let x1 = inputsAt(tile, end, channel1);
    let x2 = inputsAt(tile, end, channel2);
    let x3 = inputsAt(tile, end, channel3);
    let d0 = gradientsAt(tile, end, outChannel0);
    let d1 = gradientsAt(tile, end, outChannel1);
    let d2 = gradientsAt(tile, end, outChannel2);
    let d3 = gradientsAt(tile, end, outChannel3);
    sum00 = addProducts(sum00, x0, d0);
    sum01 = addProducts(sum01, x0, d1);
    sum02 = addProducts(sum02, x0, d2);
    sum03 = addProducts(sum03, x0, d3);
    sum10 = addProducts(sum10, x1, d0);
    sum11 = addProducts(sum11, x1, d1);
    sum12 = addProducts(sum12, x1, d2);
    sum13 = addProducts(sum13, x1, d3);
    sum20 = addProducts(sum20, x2, d0);
    sum21 = addProducts(sum21, x2, d1);
    sum22 = addProducts(sum22, x2, d2);
    sum23 = addProducts(sum23, x2, d3);
    sum30 = addProducts(sum30, x3, d0);
    sum31 = addProducts(sum31, x3, d1);
    sum32 = addProducts(sum32, x3, d2);
    sum33 = addProducts(sum33, x3, d3);
  }
  for (var k = 0u; k < min(4u, outRow - outChannel); k++) {
    store(part, channel + 0u, outChannel + k, pick(k, sum00, sum01, sum02, sum03));
    store(part, channel + 1u, outChannel + k, pick(k, sum10, sum11, sum12, sum13));
    store(part, channel + 2u, outChannel + k, pick(k, sum20, sum21, sum22, sum23));
    store(part, channel + 3u, outChannel + k, pick(k, sum30, sum31, sum32, sum33));
  }
}
