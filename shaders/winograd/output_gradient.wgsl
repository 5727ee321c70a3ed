// transformed[p, t, c] = (A · g · Aᵀ)[p], the transform of the gradient with respect to the output, for the gradient of
// Winograd's convolution F(m×m, 3×3) with respect to the weight
// g[i, j] = gradient[n, m·ty + i, m·tx + j, c] of tile t = (n · tileRows + ty) · tileColumns + tx, 0 ≤ i, j < m
//
// gradient    [N, height, width, channels]                 float32, channels a multiple of 4; zero beyond the border
// transformed [(m + 2)², tiles, channels]                  N follows from its length
//
// A row of A holds the powers 0 to m − 1 of a point, see winograd_weight; the last, the point ∞, is (0, …, 0, 1).
//
// Entry point `two` for m = 2, `four` for m = 4; `twoThroughTextures` and `fourThroughTextures` read the gradient from a
// texture of format rgba32float, 1,024 texels wide, that holds it row by row: much faster on software adapters.

override height: u32 = 8u;
override width: u32 = 8u;
override channels: u32 = 16u;

// Channels that an invocation takes: four through textures. The variant for GPUs takes two, for half the registers.
alias Channels = vec4f;
const channelsTogether = 4u;

@group(0) @binding(0) var<storage, read> gradient: array<Channels>;
@group(0) @binding(0) var gradientTexture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> transformed: array<Channels>;

alias Two = array<Channels, 2>;
alias Four = array<Channels, 4>;
alias Six = array<Channels, 6>;

// Channels of a tile: where it begins in the gradient and in the result.
struct Place {
  image: u32,
  y: u32,
  x: u32,
  channel: u32,
  first: u32,
  exists: bool,
}

// Distance between a tile's values in the result.
fn valueStep(size: u32) -> u32 {
  return arrayLength(&transformed) / (size * size);
}

fn placeOf(i: u32, outputs: u32) -> Place {
  let row = channels / channelsTogether;
  let rows = (height + outputs - 1u) / outputs;
  let columns = (width + outputs - 1u) / outputs;
  let tile = i / row;
  return Place(
    tile / columns / rows,
    tile / columns % rows * outputs,
    tile % columns * outputs,
    i % row,
    i,
    i < valueStep(outputs + 2u),
  );
}

// Index of a tile's pixel, or −1 beyond the border.
fn pixel(place: Place, dy: u32, dx: u32) -> i32 {
  let y = place.y + dy;
  let x = place.x + dx;
  let i = ((place.image * height + y) * width + x) * (channels / channelsTogether) + place.channel;
  return select(-1, i32(i), (y < height) & (x < width));
}

fn load(place: Place, dy: u32, dx: u32) -> Channels {
  let i = pixel(place, dy, dx);
  return select(Channels(), gradient[max(i, 0)], i >= 0);
}

// A times a line of the tile.
fn lineOfTwo(g: Two) -> Four {
  return Four(g[0], g[0] + g[1], g[0] - g[1], g[1]);
}

fn lineOfFour(g: Four) -> Six {
  const a = 5.0 / 8.0;
  const b = 3.0 / 2.0;
  let evenA = g[0] + a * a * g[2];
  let oddA = a * g[1] + a * a * a * g[3];
  let evenB = g[0] + b * b * g[2];
  let oddB = b * g[1] + b * b * b * g[3];
  return Six(g[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, g[3]);
}

// The columns of a tile, each already transformed.
fn storeFour(place: Place, c0: Four, c1: Four) {
  storeRowOfFour(place, 0u, lineOfTwo(Two(c0[0], c1[0])));
  storeRowOfFour(place, 4u, lineOfTwo(Two(c0[1], c1[1])));
  storeRowOfFour(place, 8u, lineOfTwo(Two(c0[2], c1[2])));
  storeRowOfFour(place, 12u, lineOfTwo(Two(c0[3], c1[3])));
}

fn storeRowOfFour(place: Place, p: u32, row: Four) {
  let step = valueStep(4u);
  let i = place.first + p * step;
  transformed[i] = row[0];
  transformed[i + step] = row[1];
  transformed[i + 2u * step] = row[2];
  transformed[i + 3u * step] = row[3];
}

fn storeSix(place: Place, c0: Six, c1: Six, c2: Six, c3: Six) {
  storeRowOfSix(place, 0u, lineOfFour(Four(c0[0], c1[0], c2[0], c3[0])));
  storeRowOfSix(place, 6u, lineOfFour(Four(c0[1], c1[1], c2[1], c3[1])));
  storeRowOfSix(place, 12u, lineOfFour(Four(c0[2], c1[2], c2[2], c3[2])));
  storeRowOfSix(place, 18u, lineOfFour(Four(c0[3], c1[3], c2[3], c3[3])));
  storeRowOfSix(place, 24u, lineOfFour(Four(c0[4], c1[4], c2[4], c3[4])));
  storeRowOfSix(place, 30u, lineOfFour(Four(c0[5], c1[5], c2[5], c3[5])));
}

fn storeRowOfSix(place: Place, p: u32, row: Six) {
  let step = valueStep(6u);
  let i = place.first + p * step;
  transformed[i] = row[0];
  transformed[i + step] = row[1];
  transformed[i + 2u * step] = row[2];
  transformed[i + 3u * step] = row[3];
  transformed[i + 4u * step] = row[4];
  transformed[i + 5u * step] = row[5];
}

fn columnOfTwo(place: Place, x: u32) -> Four {
  return lineOfTwo(Two(load(place, 0u, x), load(place, 1u, x)));
}

fn columnOfFour(place: Place, x: u32) -> Six {
  return lineOfFour(Four(load(place, 0u, x), load(place, 1u, x), load(place, 2u, x), load(place, 3u, x)));
}

@compute @workgroup_size(64)
fn two(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 2u);
  if (place.exists) {
    storeFour(place, columnOfTwo(place, 0u), columnOfTwo(place, 1u));
  }
}

@compute @workgroup_size(64)
fn four(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 4u);
  if (!place.exists) {
    return;
  }
  storeSix(
    place,
    columnOfFour(place, 0u),
    columnOfFour(place, 1u),
    columnOfFour(place, 2u),
    columnOfFour(place, 3u),
  );
}

// Reading through textures. Variants that take two channels end before the first function for texels.

fn loadTexel(place: Place, dy: u32, dx: u32) -> vec4f {
  let i = pixel(place, dy, dx);
  let at = u32(max(i, 0));
  return select(vec4f(), textureLoad(gradientTexture, vec2u(at % 1024u, at / 1024u), 0), i >= 0);
}

fn texelsOfTwo(place: Place, x: u32) -> Four {
  return lineOfTwo(Two(loadTexel(place, 0u, x), loadTexel(place, 1u, x)));
}

fn texelsOfFour(place: Place, x: u32) -> Six {
  return lineOfFour(
    Four(loadTexel(place, 0u, x), loadTexel(place, 1u, x), loadTexel(place, 2u, x), loadTexel(place, 3u, x)),
  );
}

@compute @workgroup_size(64)
fn twoThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 2u);
  if (place.exists) {
    storeFour(place, texelsOfTwo(place, 0u), texelsOfTwo(place, 1u));
  }
}

@compute @workgroup_size(64)
fn fourThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 4u);
  if (!place.exists) {
    return;
  }
  storeSix(
    place,
    texelsOfFour(place, 0u),
    texelsOfFour(place, 1u),
    texelsOfFour(place, 2u),
    texelsOfFour(place, 3u),
  );
}
