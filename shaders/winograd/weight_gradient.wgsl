// gradient[ky, kx, c, o] (=|+=) (Gᵀ · M · G)[ky, kx], the last step of the gradient of Winograd's convolution F(m×m,
// 3×3) with respect to the weight
// M[p] = Σ_s products[p, s, c, o]
//
// products [(m + 2)², parts, inChannels, outChannels]      float32, outChannels a multiple of 4
// gradient [3, 3, inChannels, outChannels]
// accumulate: add to what the result holds.
//
// G is that of winograd_weight: for each point a row of powers 0 to 2, divided by the product of its differences from
// the others; the last is (0, 0, 1).
//
// Entry point `two` for m = 2, `four` for m = 4; `twoThroughTextures` and `fourThroughTextures` read the products from a texture
// of format rgba32float, 1,024 texels wide, that holds them row by row: much faster on software adapters.

override parts: u32 = 1u;
override accumulate: bool = false;

// Channels that an invocation takes: four through textures. The variant for GPUs takes two, for half the registers.
alias Channels = vec4f;

@group(0) @binding(0) var<storage, read> products: array<Channels>;
@group(0) @binding(0) var productsTexture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<Channels>;

alias Three = array<Channels, 3>;
alias Four = array<Channels, 4>;
alias Six = array<Channels, 6>;

// Vectors of output channels for a tap.
fn vectors() -> u32 {
  return arrayLength(&gradient) / 9u;
}

// Gᵀ times a line of M.
fn lineOfFour(m: Four) -> Three {
  let even = 0.5 * (m[1] + m[2]);
  return Three(even - m[0], 0.5 * (m[1] - m[2]), even + m[3]);
}

fn lineOfSix(m: Six) -> Three {
  const a = 5.0 / 8.0;
  const b = 3.0 / 2.0;
  const divisorA = 2.0 * a * a * (a * a - b * b);
  const divisorB = 2.0 * b * b * (b * b - a * a);
  let evenA = m[1] + m[2];
  let evenB = m[3] + m[4];
  return Three(
    (1.0 / (a * a * b * b)) * m[0] + (1.0 / divisorA) * evenA + (1.0 / divisorB) * evenB,
    (a / divisorA) * (m[1] - m[2]) + (b / divisorB) * (m[3] - m[4]),
    (a * a / divisorA) * evenA + (b * b / divisorB) * evenB + m[5],
  );
}

fn store(i: u32, tap: u32, value: Channels) {
  let at = tap * vectors() + i;
  gradient[at] = select(value, gradient[at] + value, accumulate);
}

fn storeRow(i: u32, ky: u32, row: Three) {
  store(i, 3u * ky, row[0]);
  store(i, 3u * ky + 1u, row[1]);
  store(i, 3u * ky + 2u, row[2]);
}

// The columns of M, each already transformed.
fn storeFour(i: u32, c0: Three, c1: Three, c2: Three, c3: Three) {
  storeRow(i, 0u, lineOfFour(Four(c0[0], c1[0], c2[0], c3[0])));
  storeRow(i, 1u, lineOfFour(Four(c0[1], c1[1], c2[1], c3[1])));
  storeRow(i, 2u, lineOfFour(Four(c0[2], c1[2], c2[2], c3[2])));
}

fn storeSix(i: u32, c0: Three, c1: Three, c2: Three, c3: Three, c4: Three, c5: Three) {
  storeRow(i, 0u, lineOfSix(Six(c0[0], c1[0], c2[0], c3[0], c4[0], c5[0])));
  storeRow(i, 1u, lineOfSix(Six(c0[1], c1[1], c2[1], c3[1], c4[1], c5[1])));
  storeRow(i, 2u, lineOfSix(Six(c0[2], c1[2], c2[2], c3[2], c4[2], c5[2])));
}

// Column x of M, transformed. Its values are summed side by side, so that their loads do not wait for one another.
fn columnOfFour(i: u32, x: u32) -> Three {
  let step = vectors();
  let down = 4u * parts * step;
  var m = Four();
  for (var part = 0u; part < parts; part++) {
    let at = (x * parts + part) * step + i;
    m = Four(
      m[0] + products[at],
      m[1] + products[at + down],
      m[2] + products[at + 2u * down],
      m[3] + products[at + 3u * down],
    );
  }
  return lineOfFour(m);
}

fn columnOfSix(i: u32, x: u32) -> Three {
  let step = vectors();
  let down = 6u * parts * step;
  var m = Six();
  for (var part = 0u; part < parts; part++) {
    let at = (x * parts + part) * step + i;
    m = Six(
      m[0] + products[at],
      m[1] + products[at + down],
      m[2] + products[at + 2u * down],
      m[3] + products[at + 3u * down],
      m[4] + products[at + 4u * down],
      m[5] + products[at + 5u * down],
    );
  }
  return lineOfSix(m);
}

@compute @workgroup_size(64)
fn two(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < vectors()) {
    storeFour(i, columnOfFour(i, 0u), columnOfFour(i, 1u), columnOfFour(i, 2u), columnOfFour(i, 3u));
  }
}

@compute @workgroup_size(64)
fn four(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= vectors()) {
    return;
  }
  storeSix(
    i,
    columnOfSix(i, 0u),
    columnOfSix(i, 1u),
    columnOfSix(i, 2u),
    columnOfSix(i, 3u),
    columnOfSix(i, 4u),
    columnOfSix(i, 5u),
  );
}

// Reading through textures. Variants that take two channels end before the first function for texels.

// The p-th value of M for vector i.
fn sumOfTexels(i: u32, p: u32) -> vec4f {
  let step = vectors();
  var total = vec4f();
  for (var part = 0u; part < parts; part++) {
    let at = (p * parts + part) * step + i;
    total += textureLoad(productsTexture, vec2u(at % 1024u, at / 1024u), 0);
  }
  return total;
}

fn texelsOfFour(i: u32, x: u32) -> Three {
  return lineOfFour(
    Four(sumOfTexels(i, x), sumOfTexels(i, x + 4u), sumOfTexels(i, x + 8u), sumOfTexels(i, x + 12u)),
  );
}

fn texelsOfSix(i: u32, x: u32) -> Three {
  return lineOfSix(Six(
    sumOfTexels(i, x),
    sumOfTexels(i, x + 6u),
    sumOfTexels(i, x + 12u),
    sumOfTexels(i, x + 18u),
    sumOfTexels(i, x + 24u),
    sumOfTexels(i, x + 30u),
  ));
}

@compute @workgroup_size(64)
fn twoThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < vectors()) {
    storeFour(i, texelsOfFour(i, 0u), texelsOfFour(i, 1u), texelsOfFour(i, 2u), texelsOfFour(i, 3u));
  }
}

@compute @workgroup_size(64)
fn fourThroughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= vectors()) {
    return;
  }
  storeSix(
    i,
    texelsOfSix(i, 0u),
    texelsOfSix(i, 1u),
    texelsOfSix(i, 2u),
    texelsOfSix(i, 3u),
    texelsOfSix(i, 4u),
    texelsOfSix(i, 5u),
  );
}
