// output[n, m·ty + i, m·tx + j, c] (=|+=) (Aᵀ · M · A)[i, j] (+ bias[c]), the last step of Winograd's convolution F(m×m, 3×3)
// M[p] = product[p, t, c] of tile t = (n · tileRows + ty) · tileColumns + tx, 0 ≤ i, j < m, inside the output
//
// product [(m + 2)², tiles, channels]                      float32, channels a multiple of 4
// bias    [channels]; read only with addBias
// output  [N, height, width, channels]                     N follows from its length
// accumulate: add to what the result holds.
//
// A column of Aᵀ holds the powers 0 to m − 1 of a point, see winograd_weight; the last, the point ∞, is (0, …, 0, 1).
//
// Entry point `two` for m = 2, `four` for m = 4; `twoThroughTextures` and `fourThroughTextures` read the product and the bias
// from textures of format rgba32float, 1,024 texels wide, that hold them row by row: much faster on software adapters.

override height: u32 = 8u;
override width: u32 = 8u;
override channels: u32 = 16u;
override addBias: bool = false;
override accumulate: bool = false;

// Channels that an invocation takes: four through textures. The variant for GPUs takes two, for half the registers.
alias Channels = vec4f;
const channelsTogether = 4u;
// Of float16 in variants in half precision.
alias Output = vec4f;

@group(0) @binding(0) var<storage, read> product: array<Channels>;
@group(0) @binding(1) var<storage, read> bias: array<Channels>;
@group(0) @binding(2) var<storage, read_write> output: array<Output>;
@group(0) @binding(0) var productTexture: texture_2d<f32>;
@group(0) @binding(1) var biasTexture: texture_2d<f32>;

alias Four = array<Channels, 4>;
alias Six = array<Channels, 6>;

// Channels of a tile: where it begins in the output, its first value in the product, and how far apart these are.
struct Place {
  image: u32,
  y: u32,
  x: u32,
  channel: u32,
  first: u32,
  step: u32,
}

fn placeOf(i: u32, outputs: u32) -> Place {
  let row = channels / channelsTogether;
  let rows = (height + outputs - 1u) / outputs;
  let columns = (width + outputs - 1u) / outputs;
  let images = arrayLength(&output) / (height * width * row);
  let tile = i / row;
  return Place(
    tile / columns / rows,
    tile / columns % rows * outputs,
    tile % columns * outputs,
    i % row,
    i,
    images * rows * columns * row,
  );
}

// Aᵀ times a line of M.
fn lineOfFour(m: Four) -> array<Channels, 2> {
  return array<Channels, 2>(m[0] + m[1] + m[2], m[1] - m[2] + m[3]);
}

fn lineOfSix(m: Six) -> Four {
  let sumA = m[1] + m[2];
  let differenceA = m[1] - m[2];
  let sumB = m[3] + m[4];
  let differenceB = m[3] - m[4];
  const a = 5.0 / 8.0;
  const b = 3.0 / 2.0;
  return Four(
    m[0] + sumA + sumB,
    a * differenceA + b * differenceB,
    a * a * sumA + b * b * sumB,
    a * a * a * differenceA + b * b * b * differenceB + m[5],
  );
}

fn store(place: Place, dy: u32, dx: u32, value: Channels) {
  let y = place.y + dy;
  let x = place.x + dx;
  if (y >= height || x >= width) {
    return;
  }
  let i = ((place.image * height + y) * width + x) * (channels / channelsTogether) + place.channel;
  output[i] = Output(select(value, Channels(output[i]) + value, accumulate));
}

// The columns of M, each already transformed.
fn storeTwo(
  place: Place,
  shift: Channels,
  c0: array<Channels, 2>,
  c1: array<Channels, 2>,
  c2: array<Channels, 2>,
  c3: array<Channels, 2>,
) {
  let upper = lineOfFour(Four(c0[0], c1[0], c2[0], c3[0]));
  store(place, 0u, 0u, shift + upper[0]);
  store(place, 0u, 1u, shift + upper[1]);
  let lower = lineOfFour(Four(c0[1], c1[1], c2[1], c3[1]));
  store(place, 1u, 0u, shift + lower[0]);
  store(place, 1u, 1u, shift + lower[1]);
}

fn storeFour(place: Place, shift: Channels, c0: Four, c1: Four, c2: Four, c3: Four, c4: Four, c5: Four) {
  storeRow(place, 0u, shift, lineOfSix(Six(c0[0], c1[0], c2[0], c3[0], c4[0], c5[0])));
  storeRow(place, 1u, shift, lineOfSix(Six(c0[1], c1[1], c2[1], c3[1], c4[1], c5[1])));
  storeRow(place, 2u, shift, lineOfSix(Six(c0[2], c1[2], c2[2], c3[2], c4[2], c5[2])));
  storeRow(place, 3u, shift, lineOfSix(Six(c0[3], c1[3], c2[3], c3[3], c4[3], c5[3])));
}

fn storeRow(place: Place, y: u32, shift: Channels, row: Four) {
  store(place, y, 0u, shift + row[0]);
  store(place, y, 1u, shift + row[1]);
  store(place, y, 2u, shift + row[2]);
  store(place, y, 3u, shift + row[3]);
}

fn columnOfFour(place: Place, x: u32) -> array<Channels, 2> {
  let i = place.first + x * place.step;
  let down = 4u * place.step;
  return lineOfFour(Four(product[i], product[i + down], product[i + 2u * down], product[i + 3u * down]));
}

fn columnOfSix(place: Place, x: u32) -> Four {
  let i = place.first + x * place.step;
  let down = 6u * place.step;
  return lineOfSix(Six(
    product[i],
    product[i + down],
    product[i + 2u * down],
    product[i + 3u * down],
    product[i + 4u * down],
    product[i + 5u * down],
  ));
}

fn biasOf(place: Place) -> Channels {
  return select(Channels(), bias[select(0u, place.channel, addBias)], addBias);
}

@compute @workgroup_size(64)
fn two(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 2u);
  if (place.first >= place.step) {
    return;
  }
  storeTwo(
    place,
    biasOf(place),
    columnOfFour(place, 0u),
    columnOfFour(place, 1u),
    columnOfFour(place, 2u),
    columnOfFour(place, 3u),
  );
}

@compute @workgroup_size(64)
fn four(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 4u);
  if (place.first >= place.step) {
    return;
  }
  storeFour(
    place,
    biasOf(place),
    columnOfSix(place, 0u),
    columnOfSix(place, 1u),
    columnOfSix(place, 2u),
    columnOfSix(place, 3u),
    columnOfSix(place, 4u),
    columnOfSix(place, 5u),
  );
}

// Reading through textures. Variants that take two channels end before the first function for texels.

fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

fn biasTexel(place: Place) -> vec4f {
  return select(vec4f(), texel(biasTexture, select(0u, place.channel, addBias)), addBias);
}

fn texelsOfFour(place: Place, x: u32) -> array<Channels, 2> {
  let i = place.first + x * place.step;
  let down = 4u * place.step;
  return lineOfFour(Four(
    texel(productTexture, i),
    texel(productTexture, i + down),
    texel(productTexture, i + 2u * down),
    texel(productTexture, i + 3u * down),
  ));
}

fn texelsOfSix(place: Place, x: u32) -> Four {
  let i = place.first + x * place.step;
  let down = 6u * place.step;
  return lineOfSix(Six(
    texel(productTexture, i),
    texel(productTexture, i + down),
    texel(productTexture, i + 2u * down),
    texel(productTexture, i + 3u * down),
    texel(productTexture, i + 4u * down),
    texel(productTexture, i + 5u * down),
  ));
}

@compute @workgroup_size(64)
fn twoThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 2u);
  if (place.first >= place.step) {
    return;
  }
  storeTwo(
    place,
    biasTexel(place),
    texelsOfFour(place, 0u),
    texelsOfFour(place, 1u),
    texelsOfFour(place, 2u),
    texelsOfFour(place, 3u),
  );
}

@compute @workgroup_size(64)
fn fourThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 4u);
  if (place.first >= place.step) {
    return;
  }
  storeFour(
    place,
    biasTexel(place),
    texelsOfSix(place, 0u),
    texelsOfSix(place, 1u),
    texelsOfSix(place, 2u),
    texelsOfSix(place, 3u),
    texelsOfSix(place, 4u),
    texelsOfSix(place, 5u),
  );
}
