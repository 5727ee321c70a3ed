// 3×3 convolution of stride 1 in tiles of 4 × 8 pixels × 8 channels. It also computes the gradient with respect to the
// input, with rotated weights (conv2d_turn_weight) and a padding of 2 minus the convolution's own.
//
// output[n, y, x, o] (=|+=) bias[o] + Σ_ky,kx,c input[n, y + ky − padding, x + kx − padding, c] · weight[ky, kx, c, o]
//
// input    [N, height, width, inChannels]            float32
// weight   [3, 3, inChannels, outChannels]
// bias     [outChannels], ignored without addBias
// output   [N, outHeight, outWidth, outChannels]     N follows from the length
// Channels are multiples of 4. accumulate: add to what the result holds.
//
// `input` and `weight` are read through textures of format rgba32float, 1,024 texels wide, that hold the values row by
// row. On lavapipe (Mesa 22) this is 9 to 14 times as fast as a load from a storage buffer, which goes lane by lane
// through the stack.
//
// For four input channels an invocation loads 72 vectors of weights and a patch of 6 × 10 pixels, row by row, for 2,304
// multiply-adds of vectors: a load costs as much as several of them. A pixel's sum takes three taps at a time, so that
// it stays in a register meanwhile. The sums are stored in a loop: lavapipe generates a branch for every lane and value
// of a store, and even with a quarter of the stores compiling still takes two thirds of the time.

override accumulate: bool = false;

struct Shape {
  height: u32,
  width: u32,
  outHeight: u32,
  outWidth: u32,
  inChannels: u32,
  outChannels: u32,
  padding: u32,
  addBias: u32,
}

// vec4h in variants in half precision.
alias Output = vec4f;

@group(0) @binding(0) var input: texture_2d<f32>;
@group(0) @binding(1) var weight: texture_2d<f32>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<Output>;
@group(0) @binding(8) var<uniform> shape: Shape;

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

// What an invocation computes: 4 × 8 pixels from (row, column) on, two vectors of channels from `channel` on.
struct Place {
  image: u32,
  row: u32,
  column: u32,
  channel: u32,
}

fn placeOf(i: u32) -> Place {
  let channels = (shape.outChannels / 4u + 1u) / 2u;
  let columns = (shape.outWidth + 7u) / 8u;
  let rows = (shape.outHeight + 3u) / 4u;
  let tile = i / channels;
  return Place(tile / columns / rows, tile / columns % rows * 4u, tile % columns * 8u, i % channels * 2u);
}

// Index of the first channels of a patch's pixel, or −1 in the padding.
fn pixel(place: Place, dy: u32, dx: u32) -> i32 {
  let y = i32(place.row + dy) - i32(shape.padding);
  let x = i32(place.column + dx) - i32(shape.padding);
  // Bits rather than branches: SwiftShader would take minutes to compile the branches. A negative number is a large one.
  let inside = (u32(y) < shape.height) & (u32(x) < shape.width);
  return select(-1, ((i32(place.image * shape.height) + y) * i32(shape.width) + x) * i32(shape.inChannels / 4u), inside);
}

fn load(start: i32, channel: u32) -> vec4f {
  return select(vec4f(), texel(input, u32(max(start, 0)) + channel), start >= 0);
}

// Four input channels (columns) × four output channels of a tap.
fn weights(tap: u32, channel: u32, outChannel: u32) -> mat4x4f {
  let row = shape.outChannels / 4u;
  let i = (tap * shape.inChannels + 4u * channel) * row + outChannel;
  return mat4x4f(texel(weight, i), texel(weight, i + row), texel(weight, i + 2u * row), texel(weight, i + 3u * row));
}

// Not in fused steps: Mesa 25 has none, and would add four products to the sum one after another. Mesa 22 is as fast
// either way.
fn multiplyAdd(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return sum + w * x;
}

// A row of three taps.
fn taps(w0: mat4x4f, w1: mat4x4f, w2: mat4x4f, x0: vec4f, x1: vec4f, x2: vec4f, sum: vec4f) -> vec4f {
  return multiplyAdd(w2, x2, multiplyAdd(w1, x1, multiplyAdd(w0, x0, sum)));
}

// One of a column's four sums.
fn pick(row: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> vec4f {
  return select(select(d, c, row == 2u), select(b, a, row == 0u), row < 2u);
}

fn biasOf(channel: u32) -> vec4f {
  return select(vec4f(), bias[channel], shape.addBias != 0u);
}

fn storeVector(i: u32, value: vec4f) {
  output[i] = Output(select(value, vec4f(output[i]) + value, accumulate));
}

// Stores a pixel's two vectors of channels, as far as it and they exist.
fn store(place: Place, row: u32, column: u32, first: vec4f, second: vec4f) {
  if (column >= shape.outWidth) {
    return;
  }
  let i = ((place.image * shape.outHeight + row) * shape.outWidth + column) * (shape.outChannels / 4u) + place.channel;
  storeVector(i, first);
  if (place.channel + 1u < shape.outChannels / 4u) {
    storeVector(i + 1u, second);
  }
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 8u);
  let channels = shape.outChannels / 4u;
  if (place.image * shape.outHeight * shape.outWidth * channels >= arrayLength(&output)) {
    return;
  }
  // Where there is no second vector of channels, the first one again, which is not stored.
  let second = min(place.channel + 1u, channels - 1u);
  let start = biasOf(place.channel);
  let startOfSecond = biasOf(second);
  var s00 = start; var s01 = start; var s02 = start; var s03 = start;
  var s04 = start; var s05 = start; var s06 = start; var s07 = start;
  var s10 = start; var s11 = start; var s12 = start; var s13 = start;
  var s14 = start; var s15 = start; var s16 = start; var s17 = start;
  var s20 = start; var s21 = start; var s22 = start; var s23 = start;
  var s24 = start; var s25 = start; var s26 = start; var s27 = start;
  var s30 = start; var s31 = start; var s32 = start; var s33 = start;
  var s34 = start; var s35 = start; var s36 = start; var s37 = start;
  var t00 = startOfSecond; var t01 = startOfSecond; var t02 = startOfSecond; var t03 = startOfSecond;
  var t04 = startOfSecond; var t05 = startOfSecond; var t06 = startOfSecond; var t07 = startOfSecond;
  var t10 = startOfSecond; var t11 = startOfSecond; var t12 = startOfSecond; var t13 = startOfSecond;
  var t14 = startOfSecond; var t15 = startOfSecond; var t16 = startOfSecond; var t17 = startOfSecond;
  var t20 = startOfSecond; var t21 = startOfSecond; var t22 = startOfSecond; var t23 = startOfSecond;
  var t24 = startOfSecond; var t25 = startOfSecond; var t26 = startOfSecond; var t27 = startOfSecond;
  var t30 = startOfSecond; var t31 = startOfSecond; var t32 = startOfSecond; var t33 = startOfSecond;
  var t34 = startOfSecond; var t35 = startOfSecond; var t36 = startOfSecond; var t37 = startOfSecond;
  let p00 = pixel(place, 0u, 0u); let p01 = pixel(place, 0u, 1u); let p02 = pixel(place, 0u, 2u); let p03 = pixel(place, 0u, 3u);
  let p04 = pixel(place, 0u, 4u); let p05 = pixel(place, 0u, 5u); let p06 = pixel(place, 0u, 6u); let p07 = pixel(place, 0u, 7u);
  let p08 = pixel(place, 0u, 8u); let p09 = pixel(place, 0u, 9u);
  let p10 = pixel(place, 1u, 0u); let p11 = pixel(place, 1u, 1u); let p12 = pixel(place, 1u, 2u); let p13 = pixel(place, 1u, 3u);
  let p14 = pixel(place, 1u, 4u); let p15 = pixel(place, 1u, 5u); let p16 = pixel(place, 1u, 6u); let p17 = pixel(place, 1u, 7u);
  let p18 = pixel(place, 1u, 8u); let p19 = pixel(place, 1u, 9u);
  let p20 = pixel(place, 2u, 0u); let p21 = pixel(place, 2u, 1u); let p22 = pixel(place, 2u, 2u); let p23 = pixel(place, 2u, 3u);
  let p24 = pixel(place, 2u, 4u); let p25 = pixel(place, 2u, 5u); let p26 = pixel(place, 2u, 6u); let p27 = pixel(place, 2u, 7u);
  let p28 = pixel(place, 2u, 8u); let p29 = pixel(place, 2u, 9u);
  let p30 = pixel(place, 3u, 0u); let p31 = pixel(place, 3u, 1u); let p32 = pixel(place, 3u, 2u); let p33 = pixel(place, 3u, 3u);
  let p34 = pixel(place, 3u, 4u); let p35 = pixel(place, 3u, 5u); let p36 = pixel(place, 3u, 6u); let p37 = pixel(place, 3u, 7u);
  let p38 = pixel(place, 3u, 8u); let p39 = pixel(place, 3u, 9u);
  let p40 = pixel(place, 4u, 0u); let p41 = pixel(place, 4u, 1u); let p42 = pixel(place, 4u, 2u); let p43 = pixel(place, 4u, 3u);
  let p44 = pixel(place, 4u, 4u); let p45 = pixel(place, 4u, 5u); let p46 = pixel(place, 4u, 6u); let p47 = pixel(place, 4u, 7u);
  let p48 = pixel(place, 4u, 8u); let p49 = pixel(place, 4u, 9u);
  let p50 = pixel(place, 5u, 0u); let p51 = pixel(place, 5u, 1u); let p52 = pixel(place, 5u, 2u); let p53 = pixel(place, 5u, 3u);
  let p54 = pixel(place, 5u, 4u); let p55 = pixel(place, 5u, 5u); let p56 = pixel(place, 5u, 6u); let p57 = pixel(place, 5u, 7u);
  let p58 = pixel(place, 5u, 8u); let p59 = pixel(place, 5u, 9u);
  for (var c = 0u; c < shape.inChannels / 4u; c++) {
    let w00 = weights(0u, c, place.channel); let w01 = weights(1u, c, place.channel);
    let w02 = weights(2u, c, place.channel);
    let w10 = weights(3u, c, place.channel); let w11 = weights(4u, c, place.channel);
    let w12 = weights(5u, c, place.channel);
    let w20 = weights(6u, c, place.channel); let w21 = weights(7u, c, place.channel);
    let w22 = weights(8u, c, place.channel);
    let v00 = weights(0u, c, second); let v01 = weights(1u, c, second); let v02 = weights(2u, c, second);
    let v10 = weights(3u, c, second); let v11 = weights(4u, c, second); let v12 = weights(5u, c, second);
    let v20 = weights(6u, c, second); let v21 = weights(7u, c, second); let v22 = weights(8u, c, second);
    let x00 = load(p00, c); let x01 = load(p01, c); let x02 = load(p02, c); let x03 = load(p03, c);
    let x04 = load(p04, c); let x05 = load(p05, c); let x06 = load(p06, c); let x07 = load(p07, c);
    let x08 = load(p08, c); let x09 = load(p09, c);
    s00 = taps(w00, w01, w02, x00, x01, x02, s00); s01 = taps(w00, w01, w02, x01, x02, x03, s01);
    s02 = taps(w00, w01, w02, x02, x03, x04, s02); s03 = taps(w00, w01, w02, x03, x04, x05, s03);
    s04 = taps(w00, w01, w02, x04, x05, x06, s04); s05 = taps(w00, w01, w02, x05, x06, x07, s05);
    s06 = taps(w00, w01, w02, x06, x07, x08, s06); s07 = taps(w00, w01, w02, x07, x08, x09, s07);
    t00 = taps(v00, v01, v02, x00, x01, x02, t00); t01 = taps(v00, v01, v02, x01, x02, x03, t01);
    t02 = taps(v00, v01, v02, x02, x03, x04, t02); t03 = taps(v00, v01, v02, x03, x04, x05, t03);
    t04 = taps(v00, v01, v02, x04, x05, x06, t04); t05 = taps(v00, v01, v02, x05, x06, x07, t05);
    t06 = taps(v00, v01, v02, x06, x07, x08, t06); t07 = taps(v00, v01, v02, x07, x08, x09, t07);
    let x10 = load(p10, c); let x11 = load(p11, c); let x12 = load(p12, c); let x13 = load(p13, c);
    let x14 = load(p14, c); let x15 = load(p15, c); let x16 = load(p16, c); let x17 = load(p17, c);
    let x18 = load(p18, c); let x19 = load(p19, c);
    s10 = taps(w00, w01, w02, x10, x11, x12, s10); s11 = taps(w00, w01, w02, x11, x12, x13, s11);
    s12 = taps(w00, w01, w02, x12, x13, x14, s12); s13 = taps(w00, w01, w02, x13, x14, x15, s13);
    s14 = taps(w00, w01, w02, x14, x15, x16, s14); s15 = taps(w00, w01, w02, x15, x16, x17, s15);
    s16 = taps(w00, w01, w02, x16, x17, x18, s16); s17 = taps(w00, w01, w02, x17, x18, x19, s17);
    t10 = taps(v00, v01, v02, x10, x11, x12, t10); t11 = taps(v00, v01, v02, x11, x12, x13, t11);
    t12 = taps(v00, v01, v02, x12, x13, x14, t12); t13 = taps(v00, v01, v02, x13, x14, x15, t13);
    t14 = taps(v00, v01, v02, x14, x15, x16, t14); t15 = taps(v00, v01, v02, x15, x16, x17, t15);
    t16 = taps(v00, v01, v02, x16, x17, x18, t16); t17 = taps(v00, v01, v02, x17, x18, x19, t17);
    s00 = taps(w10, w11, w12, x10, x11, x12, s00); s01 = taps(w10, w11, w12, x11, x12, x13, s01);
    s02 = taps(w10, w11, w12, x12, x13, x14, s02); s03 = taps(w10, w11, w12, x13, x14, x15, s03);
    s04 = taps(w10, w11, w12, x14, x15, x16, s04); s05 = taps(w10, w11, w12, x15, x16, x17, s05);
    s06 = taps(w10, w11, w12, x16, x17, x18, s06); s07 = taps(w10, w11, w12, x17, x18, x19, s07);
    t00 = taps(v10, v11, v12, x10, x11, x12, t00); t01 = taps(v10, v11, v12, x11, x12, x13, t01);
    t02 = taps(v10, v11, v12, x12, x13, x14, t02); t03 = taps(v10, v11, v12, x13, x14, x15, t03);
    t04 = taps(v10, v11, v12, x14, x15, x16, t04); t05 = taps(v10, v11, v12, x15, x16, x17, t05);
    t06 = taps(v10, v11, v12, x16, x17, x18, t06); t07 = taps(v10, v11, v12, x17, x18, x19, t07);
    let x20 = load(p20, c); let x21 = load(p21, c); let x22 = load(p22, c); let x23 = load(p23, c);
    let x24 = load(p24, c); let x25 = load(p25, c); let x26 = load(p26, c); let x27 = load(p27, c);
    let x28 = load(p28, c); let x29 = load(p29, c);
    s20 = taps(w00, w01, w02, x20, x21, x22, s20); s21 = taps(w00, w01, w02, x21, x22, x23, s21);
    s22 = taps(w00, w01, w02, x22, x23, x24, s22); s23 = taps(w00, w01, w02, x23, x24, x25, s23);
    s24 = taps(w00, w01, w02, x24, x25, x26, s24); s25 = taps(w00, w01, w02, x25, x26, x27, s25);
    s26 = taps(w00, w01, w02, x26, x27, x28, s26); s27 = taps(w00, w01, w02, x27, x28, x29, s27);
    t20 = taps(v00, v01, v02, x20, x21, x22, t20); t21 = taps(v00, v01, v02, x21, x22, x23, t21);
    t22 = taps(v00, v01, v02, x22, x23, x24, t22); t23 = taps(v00, v01, v02, x23, x24, x25, t23);
    t24 = taps(v00, v01, v02, x24, x25, x26, t24); t25 = taps(v00, v01, v02, x25, x26, x27, t25);
    t26 = taps(v00, v01, v02, x26, x27, x28, t26); t27 = taps(v00, v01, v02, x27, x28, x29, t27);
    s10 = taps(w10, w11, w12, x20, x21, x22, s10); s11 = taps(w10, w11, w12, x21, x22, x23, s11);
    s12 = taps(w10, w11, w12, x22, x23, x24, s12); s13 = taps(w10, w11, w12, x23, x24, x25, s13);
    s14 = taps(w10, w11, w12, x24, x25, x26, s14); s15 = taps(w10, w11, w12, x25, x26, x27, s15);
    s16 = taps(w10, w11, w12, x26, x27, x28, s16); s17 = taps(w10, w11, w12, x27, x28, x29, s17);
    t10 = taps(v10, v11, v12, x20, x21, x22, t10); t11 = taps(v10, v11, v12, x21, x22, x23, t11);
    t12 = taps(v10, v11, v12, x22, x23, x24, t12); t13 = taps(v10, v11, v12, x23, x24, x25, t13);
    t14 = taps(v10, v11, v12, x24, x25, x26, t14); t15 = taps(v10, v11, v12, x25, x26, x27, t15);
    t16 = taps(v10, v11, v12, x26, x27, x28, t16); t17 = taps(v10, v11, v12, x27, x28, x29, t17);
    s00 = taps(w20, w21, w22, x20, x21, x22, s00); s01 = taps(w20, w21, w22, x21, x22, x23, s01);
    s02 = taps(w20, w21, w22, x22, x23, x24, s02); s03 = taps(w20, w21, w22, x23, x24, x25, s03);
    s04 = taps(w20, w21, w22, x24, x25, x26, s04); s05 = taps(w20, w21, w22, x25, x26, x27, s05);
    s06 = taps(w20, w21, w22, x26, x27, x28, s06); s07 = taps(w20, w21, w22, x27, x28, x29, s07);
    t00 = taps(v20, v21, v22, x20, x21, x22, t00); t01 = taps(v20, v21, v22, x21, x22, x23, t01);
    t02 = taps(v20, v21, v22, x22, x23, x24, t02); t03 = taps(v20, v21, v22, x23, x24, x25, t03);
    t04 = taps(v20, v21, v22, x24, x25, x26, t04); t05 = taps(v20, v21, v22, x25, x26, x27, t05);
    t06 = taps(v20, v21, v22, x26, x27, x28, t06); t07 = taps(v20, v21, v22, x27, x28, x29, t07);
    let x30 = load(p30, c); let x31 = load(p31, c); let x32 = load(p32, c); let x33 = load(p33, c);
    let x34 = load(p34, c); let x35 = load(p35, c); let x36 = load(p36, c); let x37 = load(p37, c);
    let x38 = load(p38, c); let x39 = load(p39, c);
    s30 = taps(w00, w01, w02, x30, x31, x32, s30); s31 = taps(w00, w01, w02, x31, x32, x33, s31);
    s32 = taps(w00, w01, w02, x32, x33, x34, s32); s33 = taps(w00, w01, w02, x33, x34, x35, s33);
    s34 = taps(w00, w01, w02, x34, x35, x36, s34); s35 = taps(w00, w01, w02, x35, x36, x37, s35);
    s36 = taps(w00, w01, w02, x36, x37, x38, s36); s37 = taps(w00, w01, w02, x37, x38, x39, s37);
    t30 = taps(v00, v01, v02, x30, x31, x32, t30); t31 = taps(v00, v01, v02, x31, x32, x33, t31);
    t32 = taps(v00, v01, v02, x32, x33, x34, t32); t33 = taps(v00, v01, v02, x33, x34, x35, t33);
    t34 = taps(v00, v01, v02, x34, x35, x36, t34); t35 = taps(v00, v01, v02, x35, x36, x37, t35);
    t36 = taps(v00, v01, v02, x36, x37, x38, t36); t37 = taps(v00, v01, v02, x37, x38, x39, t37);
    s20 = taps(w10, w11, w12, x30, x31, x32, s20); s21 = taps(w10, w11, w12, x31, x32, x33, s21);
    s22 = taps(w10, w11, w12, x32, x33, x34, s22); s23 = taps(w10, w11, w12, x33, x34, x35, s23);
    s24 = taps(w10, w11, w12, x34, x35, x36, s24); s25 = taps(w10, w11, w12, x35, x36, x37, s25);
    s26 = taps(w10, w11, w12, x36, x37, x38, s26); s27 = taps(w10, w11, w12, x37, x38, x39, s27);
    t20 = taps(v10, v11, v12, x30, x31, x32, t20); t21 = taps(v10, v11, v12, x31, x32, x33, t21);
    t22 = taps(v10, v11, v12, x32, x33, x34, t22); t23 = taps(v10, v11, v12, x33, x34, x35, t23);
    t24 = taps(v10, v11, v12, x34, x35, x36, t24); t25 = taps(v10, v11, v12, x35, x36, x37, t25);
    t26 = taps(v10, v11, v12, x36, x37, x38, t26); t27 = taps(v10, v11, v12, x37, x38, x39, t27);
    s10 = taps(w20, w21, w22, x30, x31, x32, s10); s11 = taps(w20, w21, w22, x31, x32, x33, s11);
    s12 = taps(w20, w21, w22, x32, x33, x34, s12); s13 = taps(w20, w21, w22, x33, x34, x35, s13);
    s14 = taps(w20, w21, w22, x34, x35, x36, s14); s15 = taps(w20, w21, w22, x35, x36, x37, s15);
    s16 = taps(w20, w21, w22, x36, x37, x38, s16); s17 = taps(w20, w21, w22, x37, x38, x39, s17);
    t10 = taps(v20, v21, v22, x30, x31, x32, t10); t11 = taps(v20, v21, v22, x31, x32, x33, t11);
    t12 = taps(v20, v21, v22, x32, x33, x34, t12); t13 = taps(v20, v21, v22, x33, x34, x35, t13);
    t14 = taps(v20, v21, v22, x34, x35, x36, t14); t15 = taps(v20, v21, v22, x35, x36, x37, t15);
    t16 = taps(v20, v21, v22, x36, x37, x38, t16); t17 = taps(v20, v21, v22, x37, x38, x39, t17);
    let x40 = load(p40, c); let x41 = load(p41, c); let x42 = load(p42, c); let x43 = load(p43, c);
    let x44 = load(p44, c); let x45 = load(p45, c); let x46 = load(p46, c); let x47 = load(p47, c);
    let x48 = load(p48, c); let x49 = load(p49, c);
    s30 = taps(w10, w11, w12, x40, x41, x42, s30); s31 = taps(w10, w11, w12, x41, x42, x43, s31);
    s32 = taps(w10, w11, w12, x42, x43, x44, s32); s33 = taps(w10, w11, w12, x43, x44, x45, s33);
    s34 = taps(w10, w11, w12, x44, x45, x46, s34); s35 = taps(w10, w11, w12, x45, x46, x47, s35);
    s36 = taps(w10, w11, w12, x46, x47, x48, s36); s37 = taps(w10, w11, w12, x47, x48, x49, s37);
    t30 = taps(v10, v11, v12, x40, x41, x42, t30); t31 = taps(v10, v11, v12, x41, x42, x43, t31);
    t32 = taps(v10, v11, v12, x42, x43, x44, t32); t33 = taps(v10, v11, v12, x43, x44, x45, t33);
    t34 = taps(v10, v11, v12, x44, x45, x46, t34); t35 = taps(v10, v11, v12, x45, x46, x47, t35);
    t36 = taps(v10, v11, v12, x46, x47, x48, t36); t37 = taps(v10, v11, v12, x47, x48, x49, t37);
    s20 = taps(w20, w21, w22, x40, x41, x42, s20); s21 = taps(w20, w21, w22, x41, x42, x43, s21);
    s22 = taps(w20, w21, w22, x42, x43, x44, s22); s23 = taps(w20, w21, w22, x43, x44, x45, s23);
    s24 = taps(w20, w21, w22, x44, x45, x46, s24); s25 = taps(w20, w21, w22, x45, x46, x47, s25);
    s26 = taps(w20, w21, w22, x46, x47, x48, s26); s27 = taps(w20, w21, w22, x47, x48, x49, s27);
    t20 = taps(v20, v21, v22, x40, x41, x42, t20); t21 = taps(v20, v21, v22, x41, x42, x43, t21);
    t22 = taps(v20, v21, v22, x42, x43, x44, t22); t23 = taps(v20, v21, v22, x43, x44, x45, t23);
    t24 = taps(v20, v21, v22, x44, x45, x46, t24); t25 = taps(v20, v21, v22, x45, x46, x47, t25);
    t26 = taps(v20, v21, v22, x46, x47, x48, t26); t27 = taps(v20, v21, v22, x47, x48, x49, t27);
    let x50 = load(p50, c); let x51 = load(p51, c); let x52 = load(p52, c); let x53 = load(p53, c);
    let x54 = load(p54, c); let x55 = load(p55, c); let x56 = load(p56, c); let x57 = load(p57, c);
    let x58 = load(p58, c); let x59 = load(p59, c);
    s30 = taps(w20, w21, w22, x50, x51, x52, s30); s31 = taps(w20, w21, w22, x51, x52, x53, s31);
    s32 = taps(w20, w21, w22, x52, x53, x54, s32); s33 = taps(w20, w21, w22, x53, x54, x55, s33);
    s34 = taps(w20, w21, w22, x54, x55, x56, s34); s35 = taps(w20, w21, w22, x55, x56, x57, s35);
    s36 = taps(w20, w21, w22, x56, x57, x58, s36); s37 = taps(w20, w21, w22, x57, x58, x59, s37);
    t30 = taps(v20, v21, v22, x50, x51, x52, t30); t31 = taps(v20, v21, v22, x51, x52, x53, t31);
    t32 = taps(v20, v21, v22, x52, x53, x54, t32); t33 = taps(v20, v21, v22, x53, x54, x55, t33);
    t34 = taps(v20, v21, v22, x54, x55, x56, t34); t35 = taps(v20, v21, v22, x55, x56, x57, t35);
    t36 = taps(v20, v21, v22, x56, x57, x58, t36); t37 = taps(v20, v21, v22, x57, x58, x59, t37);
  }
  for (var y = 0u; y < min(4u, shape.outHeight - place.row); y++) {
    store(place, place.row + y, place.column + 0u, pick(y, s00, s10, s20, s30), pick(y, t00, t10, t20, t30));
    store(place, place.row + y, place.column + 1u, pick(y, s01, s11, s21, s31), pick(y, t01, t11, t21, t31));
    store(place, place.row + y, place.column + 2u, pick(y, s02, s12, s22, s32), pick(y, t02, t12, t22, t32));
    store(place, place.row + y, place.column + 3u, pick(y, s03, s13, s23, s33), pick(y, t03, t13, t23, t33));
    store(place, place.row + y, place.column + 4u, pick(y, s04, s14, s24, s34), pick(y, t04, t14, t24, t34));
    store(place, place.row + y, place.column + 5u, pick(y, s05, s15, s25, s35), pick(y, t05, t15, t25, t35));
    store(place, place.row + y, place.column + 6u, pick(y, s06, s16, s26, s36), pick(y, t06, t16, t26, t36));
    store(place, place.row + y, place.column + 7u, pick(y, s07, s17, s27, s37), pick(y, t07, t17, t27, t37));
  }
}
