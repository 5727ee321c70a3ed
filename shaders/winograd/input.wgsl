// transformed[p, t, c] = (Bᵀ · d · B)[p], the transform of an input tile for Winograd's convolution F(m×m, 3×3) of stride 1
// d[i, j] = source[n, m·ty + i − padding, m·tx + j − padding, c] of tile t = (n · tileRows + ty) · tileColumns + tx, 0 ≤ i, j < m + 2
//
// source      [N, height, width, channels]                 float32, channels a multiple of 4; zero beyond the border
// transformed [(m + 2)², tiles, channels]                  N follows from its length
//
// A row of Bᵀ holds the coefficients of Π (x − q) over the points q other than the row's own, see winograd_weight.
//
// Entry point `two` for m = 2, `four` for m = 4; `twoThroughTextures` and `fourThroughTextures` read the source from a
// texture of format rgba32float, 1,024 texels wide, that holds it row by row: much faster on software adapters.

override height: u32 = 8u;
override width: u32 = 8u;
override channels: u32 = 16u;
override padding: u32 = 1u;
override tileRows: u32 = 4u;
override tileColumns: u32 = 4u;

// Channels that an invocation takes: four through textures. The variant for GPUs takes two, for half the registers.
alias Channels = vec4f;
const channelsTogether = 4u;
// Of float16 in variants in half precision.
alias Source = vec4f;

@group(0) @binding(0) var<storage, read> source: array<Source>;
@group(0) @binding(0) var sourceTexture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> transformed: array<Channels>;

alias Four = array<Channels, 4>;
alias Six = array<Channels, 6>;

// Apart from 0 and ∞ the points of m = 4 are ±a and ±b.
const a = 5.0 / 8.0;
const b = 3.0 / 2.0;

// Channels of a tile: where it begins in the source and in the result.
struct Place {
  image: u32,
  y: i32,
  x: i32,
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
  let tile = i / row;
  return Place(
    tile / tileColumns / tileRows,
    i32(tile / tileColumns % tileRows * outputs) - i32(padding),
    i32(tile % tileColumns * outputs) - i32(padding),
    i % row,
    i,
    i < valueStep(outputs + 2u),
  );
}

// Index of a tile's pixel, or −1 in the padding.
fn pixel(place: Place, dy: i32, dx: i32) -> i32 {
  let y = place.y + dy;
  let x = place.x + dx;
  let inside = (u32(y) < height) & (u32(x) < width);
  let row = i32(channels / channelsTogether);
  return select(-1, ((i32(place.image * height) + y) * i32(width) + x) * row + i32(place.channel), inside);
}

fn load(place: Place, dy: i32, dx: i32) -> Channels {
  let i = pixel(place, dy, dx);
  return select(Channels(), Channels(source[max(i, 0)]), i >= 0);
}

// Bᵀ times a line of the tile.
fn lineOfFour(d: Four) -> Four {
  return Four(d[2] - d[0], d[1] + d[2], d[2] - d[1], d[3] - d[1]);
}

fn lineOfSix(d: Six) -> Six {
  let evenA = d[4] - b * b * d[2];
  let oddA = a * (d[3] - b * b * d[1]);
  let evenB = d[4] - a * a * d[2];
  let oddB = b * (d[3] - a * a * d[1]);
  return Six(
    a * a * b * b * d[0] - (a * a + b * b) * d[2] + d[4],
    evenA + oddA,
    evenA - oddA,
    evenB + oddB,
    evenB - oddB,
    a * a * b * b * d[1] - (a * a + b * b) * d[3] + d[5],
  );
}

// The columns of a tile, each already transformed.
fn storeFour(place: Place, c0: Four, c1: Four, c2: Four, c3: Four) {
  storeRowOfFour(place, 0u, lineOfFour(Four(c0[0], c1[0], c2[0], c3[0])));
  storeRowOfFour(place, 4u, lineOfFour(Four(c0[1], c1[1], c2[1], c3[1])));
  storeRowOfFour(place, 8u, lineOfFour(Four(c0[2], c1[2], c2[2], c3[2])));
  storeRowOfFour(place, 12u, lineOfFour(Four(c0[3], c1[3], c2[3], c3[3])));
}

fn storeRowOfFour(place: Place, p: u32, row: Four) {
  let step = valueStep(4u);
  let i = place.first + p * step;
  transformed[i] = row[0];
  transformed[i + step] = row[1];
  transformed[i + 2u * step] = row[2];
  transformed[i + 3u * step] = row[3];
}

fn storeSix(place: Place, c0: Six, c1: Six, c2: Six, c3: Six, c4: Six, c5: Six) {
  storeRowOfSix(place, 0u, lineOfSix(Six(c0[0], c1[0], c2[0], c3[0], c4[0], c5[0])));
  storeRowOfSix(place, 6u, lineOfSix(Six(c0[1], c1[1], c2[1], c3[1], c4[1], c5[1])));
  storeRowOfSix(place, 12u, lineOfSix(Six(c0[2], c1[2], c2[2], c3[2], c4[2], c5[2])));
  storeRowOfSix(place, 18u, lineOfSix(Six(c0[3], c1[3], c2[3], c3[3], c4[3], c5[3])));
  storeRowOfSix(place, 24u, lineOfSix(Six(c0[4], c1[4], c2[4], c3[4], c4[4], c5[4])));
  storeRowOfSix(place, 30u, lineOfSix(Six(c0[5], c1[5], c2[5], c3[5], c4[5], c5[5])));
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

fn columnOfFour(place: Place, x: i32) -> Four {
  return lineOfFour(Four(load(place, 0, x), load(place, 1, x), load(place, 2, x), load(place, 3, x)));
}

fn columnOfSix(place: Place, x: i32) -> Six {
  return lineOfSix(Six(
    load(place, 0, x),
    load(place, 1, x),
    load(place, 2, x),
    load(place, 3, x),
    load(place, 4, x),
    load(place, 5, x),
  ));
}

@compute @workgroup_size(64)
fn two(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 2u);
  if (!place.exists) {
    return;
  }
  storeFour(
    place,
    columnOfFour(place, 0),
    columnOfFour(place, 1),
    columnOfFour(place, 2),
    columnOfFour(place, 3),
  );
}

@compute @workgroup_size(64)
fn four(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 4u);
  if (!place.exists) {
    return;
  }
  storeSix(
    place,
    columnOfSix(place, 0),
    columnOfSix(place, 1),
    columnOfSix(place, 2),
    columnOfSix(place, 3),
    columnOfSix(place, 4),
    columnOfSix(place, 5),
  );
}

// Reading through textures. Variants that take two channels end before the first function for texels.

fn loadTexel(place: Place, dy: i32, dx: i32) -> vec4f {
  let i = pixel(place, dy, dx);
  let at = u32(max(i, 0));
  return select(vec4f(), textureLoad(sourceTexture, vec2u(at % 1024u, at / 1024u), 0), i >= 0);
}

fn texelsOfFour(place: Place, x: i32) -> Four {
  return lineOfFour(
    Four(loadTexel(place, 0, x), loadTexel(place, 1, x), loadTexel(place, 2, x), loadTexel(place, 3, x)),
  );
}

fn texelsOfSix(place: Place, x: i32) -> Six {
  return lineOfSix(Six(
    loadTexel(place, 0, x),
    loadTexel(place, 1, x),
    loadTexel(place, 2, x),
    loadTexel(place, 3, x),
    loadTexel(place, 4, x),
    loadTexel(place, 5, x),
  ));
}

@compute @workgroup_size(64)
fn twoThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 2u);
  if (!place.exists) {
    return;
  }
  storeFour(
    place,
    texelsOfFour(place, 0),
    texelsOfFour(place, 1),
    texelsOfFour(place, 2),
    texelsOfFour(place, 3),
  );
}

@compute @workgroup_size(64)
fn fourThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u, 4u);
  if (!place.exists) {
    return;
  }
  storeSix(
    place,
    texelsOfSix(place, 0),
    texelsOfSix(place, 1),
    texelsOfSix(place, 2),
    texelsOfSix(place, 3),
    texelsOfSix(place, 4),
    texelsOfSix(place, 5),
  );
}
