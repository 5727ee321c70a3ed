// 3×3 convolution of stride 1 in tiles of 8 × 4 pixels × 8 channels; also its gradient by the input, with turned weights
// (conv2d_turn_weight) and a padding of 2 less the convolution's own.
//
// output[n, y, x, o] (=|+=) bias[o] + Σ_ky,kx,c input[n, y + ky − padding, x + kx − padding, c] · weight[ky, kx, c, o]
//
// input    [N, height, width, inChannels]            float32
// weight   [3, 3, inChannels, outChannels]
// bias     [outChannels], ignored without addBias
// output   [N, outHeight, outWidth, outChannels]     N follows from the length
// Channels are multiples of 4. accumulate: add to what is there.
//
// `input` and `weight` are read through textures of format rgba32float, 1,024 texels wide, that hold the values row by row. On
// lavapipe (Mesa 22) this is 9 to 14 times as fast as a load from a storage buffer, which goes lane by lane through the stack.
//
// For four input channels an invocation loads a patch of 10 × 6 pixels and 72 vectors of weights for 2,304 multiply-adds of
// vectors: a load costs as much as several of them. A pixel's sum takes up three taps at a time, so that it stays in a
// register meanwhile. The sums are stored in a loop: lavapipe makes a branch for every lane and value of a store, and compiles
// two thirds as long with an eighth of the stores.

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

// What an invocation computes: 8 × 4 pixels from (row, column) on, two vectors of channels from `channel` on.
struct Place {
  image: u32,
  row: u32,
  column: u32,
  channel: u32,
}

fn placeOf(i: u32) -> Place {
  let channels = (shape.outChannels / 4u + 1u) / 2u;
  let columns = (shape.outWidth + 3u) / 4u;
  let rows = (shape.outHeight + 7u) / 8u;
  let tile = i / channels;
  return Place(tile / columns / rows, tile / columns % rows * 8u, tile % columns * 4u, i % channels * 2u);
}

// Index of the first channels of a patch's pixel, or −1 in the padding.
fn pixel(place: Place, dy: u32, dx: u32) -> i32 {
  let y = i32(place.row + dy) - i32(shape.padding);
  let x = i32(place.column + dx) - i32(shape.padding);
  // Bits rather than branches: SwiftShader takes minutes to compile so many branches. A negative number is a large one.
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

// sum + w · x, in fused steps.
fn multiplyAdd(w: mat4x4f, x: vec4f, sum: vec4f) -> vec4f {
  return fma(vec4f(x.w), w[3], fma(vec4f(x.z), w[2], fma(vec4f(x.y), w[1], fma(vec4f(x.x), w[0], sum))));
}

// A row of three taps.
fn taps(w0: mat4x4f, w1: mat4x4f, w2: mat4x4f, x0: vec4f, x1: vec4f, x2: vec4f, sum: vec4f) -> vec4f {
  return multiplyAdd(w2, x2, multiplyAdd(w1, x1, multiplyAdd(w0, x0, sum)));
}

// One of a column's eight sums.
fn pick(row: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f, g: vec4f, h: vec4f) -> vec4f {
  let upper = select(select(d, c, row == 2u), select(b, a, row == 0u), row < 2u);
  let lower = select(select(h, g, row == 6u), select(f, e, row == 4u), row < 6u);
  return select(lower, upper, row < 4u);
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
  // Where there is no second vector of channels the first once more, which is not stored.
  let second = min(place.channel + 1u, channels - 1u);
  let start = biasOf(place.channel);
  let startOfSecond = biasOf(second);
  var s00 = start; var s01 = start; var s02 = start; var s03 = start;
  var s10 = start; var s11 = start; var s12 = start; var s13 = start;
  var s20 = start; var s21 = start; var s22 = start; var s23 = start;
  var s30 = start; var s31 = start; var s32 = start; var s33 = start;
  var s40 = start; var s41 = start; var s42 = start; var s43 = start;
  var s50 = start; var s51 = start; var s52 = start; var s53 = start;
  var s60 = start; var s61 = start; var s62 = start; var s63 = start;
  var s70 = start; var s71 = start; var s72 = start; var s73 = start;
  var t00 = startOfSecond; var t01 = startOfSecond; var t02 = startOfSecond; var t03 = startOfSecond;
  var t10 = startOfSecond; var t11 = startOfSecond; var t12 = startOfSecond; var t13 = startOfSecond;
  var t20 = startOfSecond; var t21 = startOfSecond; var t22 = startOfSecond; var t23 = startOfSecond;
  var t30 = startOfSecond; var t31 = startOfSecond; var t32 = startOfSecond; var t33 = startOfSecond;
  var t40 = startOfSecond; var t41 = startOfSecond; var t42 = startOfSecond; var t43 = startOfSecond;
  var t50 = startOfSecond; var t51 = startOfSecond; var t52 = startOfSecond; var t53 = startOfSecond;
  var t60 = startOfSecond; var t61 = startOfSecond; var t62 = startOfSecond; var t63 = startOfSecond;
  var t70 = startOfSecond; var t71 = startOfSecond; var t72 = startOfSecond; var t73 = startOfSecond;
  let p00 = pixel(place, 0u, 0u); let p01 = pixel(place, 0u, 1u); let p02 = pixel(place, 0u, 2u);
  let p03 = pixel(place, 0u, 3u); let p04 = pixel(place, 0u, 4u); let p05 = pixel(place, 0u, 5u);
  let p10 = pixel(place, 1u, 0u); let p11 = pixel(place, 1u, 1u); let p12 = pixel(place, 1u, 2u);
  let p13 = pixel(place, 1u, 3u); let p14 = pixel(place, 1u, 4u); let p15 = pixel(place, 1u, 5u);
  let p20 = pixel(place, 2u, 0u); let p21 = pixel(place, 2u, 1u); let p22 = pixel(place, 2u, 2u);
  let p23 = pixel(place, 2u, 3u); let p24 = pixel(place, 2u, 4u); let p25 = pixel(place, 2u, 5u);
  let p30 = pixel(place, 3u, 0u); let p31 = pixel(place, 3u, 1u); let p32 = pixel(place, 3u, 2u);
  let p33 = pixel(place, 3u, 3u); let p34 = pixel(place, 3u, 4u); let p35 = pixel(place, 3u, 5u);
  let p40 = pixel(place, 4u, 0u); let p41 = pixel(place, 4u, 1u); let p42 = pixel(place, 4u, 2u);
  let p43 = pixel(place, 4u, 3u); let p44 = pixel(place, 4u, 4u); let p45 = pixel(place, 4u, 5u);
  let p50 = pixel(place, 5u, 0u); let p51 = pixel(place, 5u, 1u); let p52 = pixel(place, 5u, 2u);
  let p53 = pixel(place, 5u, 3u); let p54 = pixel(place, 5u, 4u); let p55 = pixel(place, 5u, 5u);
  let p60 = pixel(place, 6u, 0u); let p61 = pixel(place, 6u, 1u); let p62 = pixel(place, 6u, 2u);
  let p63 = pixel(place, 6u, 3u); let p64 = pixel(place, 6u, 4u); let p65 = pixel(place, 6u, 5u);
  let p70 = pixel(place, 7u, 0u); let p71 = pixel(place, 7u, 1u); let p72 = pixel(place, 7u, 2u);
  let p73 = pixel(place, 7u, 3u); let p74 = pixel(place, 7u, 4u); let p75 = pixel(place, 7u, 5u);
  let p80 = pixel(place, 8u, 0u); let p81 = pixel(place, 8u, 1u); let p82 = pixel(place, 8u, 2u);
  let p83 = pixel(place, 8u, 3u); let p84 = pixel(place, 8u, 4u); let p85 = pixel(place, 8u, 5u);
  let p90 = pixel(place, 9u, 0u); let p91 = pixel(place, 9u, 1u); let p92 = pixel(place, 9u, 2u);
  let p93 = pixel(place, 9u, 3u); let p94 = pixel(place, 9u, 4u); let p95 = pixel(place, 9u, 5u);
  for (var c = 0u; c < shape.inChannels / 4u; c++) {
    let x00 = load(p00, c); let x01 = load(p01, c); let x02 = load(p02, c);
    let x03 = load(p03, c); let x04 = load(p04, c); let x05 = load(p05, c);
    let x10 = load(p10, c); let x11 = load(p11, c); let x12 = load(p12, c);
    let x13 = load(p13, c); let x14 = load(p14, c); let x15 = load(p15, c);
    let x20 = load(p20, c); let x21 = load(p21, c); let x22 = load(p22, c);
    let x23 = load(p23, c); let x24 = load(p24, c); let x25 = load(p25, c);
    let x30 = load(p30, c); let x31 = load(p31, c); let x32 = load(p32, c);
    let x33 = load(p33, c); let x34 = load(p34, c); let x35 = load(p35, c);
    let x40 = load(p40, c); let x41 = load(p41, c); let x42 = load(p42, c);
    let x43 = load(p43, c); let x44 = load(p44, c); let x45 = load(p45, c);
    let x50 = load(p50, c); let x51 = load(p51, c); let x52 = load(p52, c);
    let x53 = load(p53, c); let x54 = load(p54, c); let x55 = load(p55, c);
    let x60 = load(p60, c); let x61 = load(p61, c); let x62 = load(p62, c);
    let x63 = load(p63, c); let x64 = load(p64, c); let x65 = load(p65, c);
    let x70 = load(p70, c); let x71 = load(p71, c); let x72 = load(p72, c);
    let x73 = load(p73, c); let x74 = load(p74, c); let x75 = load(p75, c);
    let x80 = load(p80, c); let x81 = load(p81, c); let x82 = load(p82, c);
    let x83 = load(p83, c); let x84 = load(p84, c); let x85 = load(p85, c);
    let x90 = load(p90, c); let x91 = load(p91, c); let x92 = load(p92, c);
    let x93 = load(p93, c); let x94 = load(p94, c); let x95 = load(p95, c);
    let w00 = weights(0u, c, place.channel);
    let w01 = weights(1u, c, place.channel);
    let w02 = weights(2u, c, place.channel);
    s00 = taps(w00, w01, w02, x00, x01, x02, s00); s01 = taps(w00, w01, w02, x01, x02, x03, s01);
    s02 = taps(w00, w01, w02, x02, x03, x04, s02); s03 = taps(w00, w01, w02, x03, x04, x05, s03);
    s10 = taps(w00, w01, w02, x10, x11, x12, s10); s11 = taps(w00, w01, w02, x11, x12, x13, s11);
    s12 = taps(w00, w01, w02, x12, x13, x14, s12); s13 = taps(w00, w01, w02, x13, x14, x15, s13);
    s20 = taps(w00, w01, w02, x20, x21, x22, s20); s21 = taps(w00, w01, w02, x21, x22, x23, s21);
    s22 = taps(w00, w01, w02, x22, x23, x24, s22); s23 = taps(w00, w01, w02, x23, x24, x25, s23);
    s30 = taps(w00, w01, w02, x30, x31, x32, s30); s31 = taps(w00, w01, w02, x31, x32, x33, s31);
    s32 = taps(w00, w01, w02, x32, x33, x34, s32); s33 = taps(w00, w01, w02, x33, x34, x35, s33);
    s40 = taps(w00, w01, w02, x40, x41, x42, s40); s41 = taps(w00, w01, w02, x41, x42, x43, s41);
    s42 = taps(w00, w01, w02, x42, x43, x44, s42); s43 = taps(w00, w01, w02, x43, x44, x45, s43);
    s50 = taps(w00, w01, w02, x50, x51, x52, s50); s51 = taps(w00, w01, w02, x51, x52, x53, s51);
    s52 = taps(w00, w01, w02, x52, x53, x54, s52); s53 = taps(w00, w01, w02, x53, x54, x55, s53);
    s60 = taps(w00, w01, w02, x60, x61, x62, s60); s61 = taps(w00, w01, w02, x61, x62, x63, s61);
    s62 = taps(w00, w01, w02, x62, x63, x64, s62); s63 = taps(w00, w01, w02, x63, x64, x65, s63);
    s70 = taps(w00, w01, w02, x70, x71, x72, s70); s71 = taps(w00, w01, w02, x71, x72, x73, s71);
    s72 = taps(w00, w01, w02, x72, x73, x74, s72); s73 = taps(w00, w01, w02, x73, x74, x75, s73);
    let v00 = weights(0u, c, second);
    let v01 = weights(1u, c, second);
    let v02 = weights(2u, c, second);
    t00 = taps(v00, v01, v02, x00, x01, x02, t00); t01 = taps(v00, v01, v02, x01, x02, x03, t01);
    t02 = taps(v00, v01, v02, x02, x03, x04, t02); t03 = taps(v00, v01, v02, x03, x04, x05, t03);
    t10 = taps(v00, v01, v02, x10, x11, x12, t10); t11 = taps(v00, v01, v02, x11, x12, x13, t11);
    t12 = taps(v00, v01, v02, x12, x13, x14, t12); t13 = taps(v00, v01, v02, x13, x14, x15, t13);
    t20 = taps(v00, v01, v02, x20, x21, x22, t20); t21 = taps(v00, v01, v02, x21, x22, x23, t21);
    t22 = taps(v00, v01, v02, x22, x23, x24, t22); t23 = taps(v00, v01, v02, x23, x24, x25, t23);
    t30 = taps(v00, v01, v02, x30, x31, x32, t30); t31 = taps(v00, v01, v02, x31, x32, x33, t31);
    t32 = taps(v00, v01, v02, x32, x33, x34, t32); t33 = taps(v00, v01, v02, x33, x34, x35, t33);
    t40 = taps(v00, v01, v02, x40, x41, x42, t40); t41 = taps(v00, v01, v02, x41, x42, x43, t41);
    t42 = taps(v00, v01, v02, x42, x43, x44, t42); t43 = taps(v00, v01, v02, x43, x44, x45, t43);
    t50 = taps(v00, v01, v02, x50, x51, x52, t50); t51 = taps(v00, v01, v02, x51, x52, x53, t51);
    t52 = taps(v00, v01, v02, x52, x53, x54, t52); t53 = taps(v00, v01, v02, x53, x54, x55, t53);
    t60 = taps(v00, v01, v02, x60, x61, x62, t60); t61 = taps(v00, v01, v02, x61, x62, x63, t61);
    t62 = taps(v00, v01, v02, x62, x63, x64, t62); t63 = taps(v00, v01, v02, x63, x64, x65, t63);
    t70 = taps(v00, v01, v02, x70, x71, x72, t70); t71 = taps(v00, v01, v02, x71, x72, x73, t71);
    t72 = taps(v00, v01, v02, x72, x73, x74, t72); t73 = taps(v00, v01, v02, x73, x74, x75, t73);
    let w10 = weights(3u, c, place.channel);
    let w11 = weights(4u, c, place.channel);
    let w12 = weights(5u, c, place.channel);
    s00 = taps(w10, w11, w12, x10, x11, x12, s00); s01 = taps(w10, w11, w12, x11, x12, x13, s01);
    s02 = taps(w10, w11, w12, x12, x13, x14, s02); s03 = taps(w10, w11, w12, x13, x14, x15, s03);
    s10 = taps(w10, w11, w12, x20, x21, x22, s10); s11 = taps(w10, w11, w12, x21, x22, x23, s11);
    s12 = taps(w10, w11, w12, x22, x23, x24, s12); s13 = taps(w10, w11, w12, x23, x24, x25, s13);
    s20 = taps(w10, w11, w12, x30, x31, x32, s20); s21 = taps(w10, w11, w12, x31, x32, x33, s21);
    s22 = taps(w10, w11, w12, x32, x33, x34, s22); s23 = taps(w10, w11, w12, x33, x34, x35, s23);
    s30 = taps(w10, w11, w12, x40, x41, x42, s30); s31 = taps(w10, w11, w12, x41, x42, x43, s31);
    s32 = taps(w10, w11, w12, x42, x43, x44, s32); s33 = taps(w10, w11, w12, x43, x44, x45, s33);
    s40 = taps(w10, w11, w12, x50, x51, x52, s40); s41 = taps(w10, w11, w12, x51, x52, x53, s41);
    s42 = taps(w10, w11, w12, x52, x53, x54, s42); s43 = taps(w10, w11, w12, x53, x54, x55, s43);
    s50 = taps(w10, w11, w12, x60, x61, x62, s50); s51 = taps(w10, w11, w12, x61, x62, x63, s51);
    s52 = taps(w10, w11, w12, x62, x63, x64, s52); s53 = taps(w10, w11, w12, x63, x64, x65, s53);
    s60 = taps(w10, w11, w12, x70, x71, x72, s60); s61 = taps(w10, w11, w12, x71, x72, x73, s61);
    s62 = taps(w10, w11, w12, x72, x73, x74, s62); s63 = taps(w10, w11, w12, x73, x74, x75, s63);
    s70 = taps(w10, w11, w12, x80, x81, x82, s70); s71 = taps(w10, w11, w12, x81, x82, x83, s71);
    s72 = taps(w10, w11, w12, x82, x83, x84, s72); s73 = taps(w10, w11, w12, x83, x84, x85, s73);
    let v10 = weights(3u, c, second);
    let v11 = weights(4u, c, second);
    let v12 = weights(5u, c, second);
    t00 = taps(v10, v11, v12, x10, x11, x12, t00); t01 = taps(v10, v11, v12, x11, x12, x13, t01);
    t02 = taps(v10, v11, v12, x12, x13, x14, t02); t03 = taps(v10, v11, v12, x13, x14, x15, t03);
    t10 = taps(v10, v11, v12, x20, x21, x22, t10); t11 = taps(v10, v11, v12, x21, x22, x23, t11);
    t12 = taps(v10, v11, v12, x22, x23, x24, t12); t13 = taps(v10, v11, v12, x23, x24, x25, t13);
    t20 = taps(v10, v11, v12, x30, x31, x32, t20); t21 = taps(v10, v11, v12, x31, x32, x33, t21);
    t22 = taps(v10, v11, v12, x32, x33, x34, t22); t23 = taps(v10, v11, v12, x33, x34, x35, t23);
    t30 = taps(v10, v11, v12, x40, x41, x42, t30); t31 = taps(v10, v11, v12, x41, x42, x43, t31);
    t32 = taps(v10, v11, v12, x42, x43, x44, t32); t33 = taps(v10, v11, v12, x43, x44, x45, t33);
    t40 = taps(v10, v11, v12, x50, x51, x52, t40); t41 = taps(v10, v11, v12, x51, x52, x53, t41);
    t42 = taps(v10, v11, v12, x52, x53, x54, t42); t43 = taps(v10, v11, v12, x53, x54, x55, t43);
    t50 = taps(v10, v11, v12, x60, x61, x62, t50); t51 = taps(v10, v11, v12, x61, x62, x63, t51);
    t52 = taps(v10, v11, v12, x62, x63, x64, t52); t53 = taps(v10, v11, v12, x63, x64, x65, t53);
    t60 = taps(v10, v11, v12, x70, x71, x72, t60); t61 = taps(v10, v11, v12, x71, x72, x73, t61);
    t62 = taps(v10, v11, v12, x72, x73, x74, t62); t63 = taps(v10, v11, v12, x73, x74, x75, t63);
    t70 = taps(v10, v11, v12, x80, x81, x82, t70); t71 = taps(v10, v11, v12, x81, x82, x83, t71);
    t72 = taps(v10, v11, v12, x82, x83, x84, t72); t73 = taps(v10, v11, v12, x83, x84, x85, t73);
    let w20 = weights(6u, c, place.channel);
    let w21 = weights(7u, c, place.channel);
    let w22 = weights(8u, c, place.channel);
    s00 = taps(w20, w21, w22, x20, x21, x22, s00); s01 = taps(w20, w21, w22, x21, x22, x23, s01);
    s02 = taps(w20, w21, w22, x22, x23, x24, s02); s03 = taps(w20, w21, w22, x23, x24, x25, s03);
    s10 = taps(w20, w21, w22, x30, x31, x32, s10); s11 = taps(w20, w21, w22, x31, x32, x33, s11);
    s12 = taps(w20, w21, w22, x32, x33, x34, s12); s13 = taps(w20, w21, w22, x33, x34, x35, s13);
    s20 = taps(w20, w21, w22, x40, x41, x42, s20); s21 = taps(w20, w21, w22, x41, x42, x43, s21);
    s22 = taps(w20, w21, w22, x42, x43, x44, s22); s23 = taps(w20, w21, w22, x43, x44, x45, s23);
    s30 = taps(w20, w21, w22, x50, x51, x52, s30); s31 = taps(w20, w21, w22, x51, x52, x53, s31);
    s32 = taps(w20, w21, w22, x52, x53, x54, s32); s33 = taps(w20, w21, w22, x53, x54, x55, s33);
    s40 = taps(w20, w21, w22, x60, x61, x62, s40); s41 = taps(w20, w21, w22, x61, x62, x63, s41);
    s42 = taps(w20, w21, w22, x62, x63, x64, s42); s43 = taps(w20, w21, w22, x63, x64, x65, s43);
    s50 = taps(w20, w21, w22, x70, x71, x72, s50); s51 = taps(w20, w21, w22, x71, x72, x73, s51);
    s52 = taps(w20, w21, w22, x72, x73, x74, s52); s53 = taps(w20, w21, w22, x73, x74, x75, s53);
    s60 = taps(w20, w21, w22, x80, x81, x82, s60); s61 = taps(w20, w21, w22, x81, x82, x83, s61);
    s62 = taps(w20, w21, w22, x82, x83, x84, s62); s63 = taps(w20, w21, w22, x83, x84, x85, s63);
    s70 = taps(w20, w21, w22, x90, x91, x92, s70); s71 = taps(w20, w21, w22, x91, x92, x93, s71);
    s72 = taps(w20, w21, w22, x92, x93, x94, s72); s73 = taps(w20, w21, w22, x93, x94, x95, s73);
    let v20 = weights(6u, c, second);
    let v21 = weights(7u, c, second);
    let v22 = weights(8u, c, second);
    t00 = taps(v20, v21, v22, x20, x21, x22, t00); t01 = taps(v20, v21, v22, x21, x22, x23, t01);
    t02 = taps(v20, v21, v22, x22, x23, x24, t02); t03 = taps(v20, v21, v22, x23, x24, x25, t03);
    t10 = taps(v20, v21, v22, x30, x31, x32, t10); t11 = taps(v20, v21, v22, x31, x32, x33, t11);
    t12 = taps(v20, v21, v22, x32, x33, x34, t12); t13 = taps(v20, v21, v22, x33, x34, x35, t13);
    t20 = taps(v20, v21, v22, x40, x41, x42, t20); t21 = taps(v20, v21, v22, x41, x42, x43, t21);
    t22 = taps(v20, v21, v22, x42, x43, x44, t22); t23 = taps(v20, v21, v22, x43, x44, x45, t23);
    t30 = taps(v20, v21, v22, x50, x51, x52, t30); t31 = taps(v20, v21, v22, x51, x52, x53, t31);
    t32 = taps(v20, v21, v22, x52, x53, x54, t32); t33 = taps(v20, v21, v22, x53, x54, x55, t33);
    t40 = taps(v20, v21, v22, x60, x61, x62, t40); t41 = taps(v20, v21, v22, x61, x62, x63, t41);
    t42 = taps(v20, v21, v22, x62, x63, x64, t42); t43 = taps(v20, v21, v22, x63, x64, x65, t43);
    t50 = taps(v20, v21, v22, x70, x71, x72, t50); t51 = taps(v20, v21, v22, x71, x72, x73, t51);
    t52 = taps(v20, v21, v22, x72, x73, x74, t52); t53 = taps(v20, v21, v22, x73, x74, x75, t53);
    t60 = taps(v20, v21, v22, x80, x81, x82, t60); t61 = taps(v20, v21, v22, x81, x82, x83, t61);
    t62 = taps(v20, v21, v22, x82, x83, x84, t62); t63 = taps(v20, v21, v22, x83, x84, x85, t63);
    t70 = taps(v20, v21, v22, x90, x91, x92, t70); t71 = taps(v20, v21, v22, x91, x92, x93, t71);
    t72 = taps(v20, v21, v22, x92, x93, x94, t72); t73 = taps(v20, v21, v22, x93, x94, x95, t73);
  }
  for (var y = 0u; y < min(8u, shape.outHeight - place.row); y++) {
    store(
      place, place.row + y, place.column + 0u,
      pick(y, s00, s10, s20, s30, s40, s50, s60, s70),
      pick(y, t00, t10, t20, t30, t40, t50, t60, t70),
    );
    store(
      place, place.row + y, place.column + 1u,
      pick(y, s01, s11, s21, s31, s41, s51, s61, s71),
      pick(y, t01, t11, t21, t31, t41, t51, t61, t71),
    );
    store(
      place, place.row + y, place.column + 2u,
      pick(y, s02, s12, s22, s32, s42, s52, s62, s72),
      pick(y, t02, t12, t22, t32, t42, t52, t62, t72),
    );
    store(
      place, place.row + y, place.column + 3u,
      pick(y, s03, s13, s23, s33, s43, s53, s63, s73),
      pick(y, t03, t13, t23, t33, t43, t53, t63, t73),
    );
  }
}
