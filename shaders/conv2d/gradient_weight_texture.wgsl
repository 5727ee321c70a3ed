// partials[s, ky, kx, c, o] = Σ_n,y,x input[n, y·stride + ky − padding, x·stride + kx − padding, c] · outputGradient[n, y, x, o]
// over the s-th part of the output's rows (n, y); the sum over s is the gradient with respect to the weight.
//
// input          [N, height, width, inChannels]              float32, inChannels a multiple of 4
// outputGradient [N, outHeight, outWidth, outChannels]       outChannels a multiple of 4
// partials       [splits, kernel, kernel, inChannels, outChannels], kernel 1 or 3
// rows: N · outHeight; rowsPerSplit: output rows that one part sums.
// input and outputGradient are read through textures, see conv2d_patch_texture.
//
// An invocation sums all taps × 4 input × 16 output channels in named registers while it slides along rows. For each
// pixel it loads 3 · stride + 4 vectors for 144 multiply-adds of vectors. One pipeline serves all strides, which costs
// 5 % of the time. The sums are stored in a loop over taps, see conv2d_patch_texture.

override kernel: u32 = 3u;

struct Shape {
  height: u32,
  width: u32,
  outHeight: u32,
  outWidth: u32,
  inChannels: u32,
  outChannels: u32,
  stride: u32,
  padding: u32,
  rowsPerSplit: u32,
  rows: u32,
}

@group(0) @binding(0) var input: texture_2d<f32>;
@group(0) @binding(1) var outputGradient: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

// Index of the pixel before column 0 of the input row that tap row ky meets, or −1 in the padding.
fn inputRow(row: u32, ky: u32) -> i32 {
  let y = i32(row % shape.outHeight * shape.stride + ky) - i32(shape.padding);
  return select(-1, i32(row / shape.outHeight * shape.height) + y, y >= 0 && y < i32(shape.height));
}

fn load(row: i32, column: i32, channel: u32) -> vec4f {
  let inside = (row >= 0) & (u32(column) < shape.width);
  let pixel = select(0u, u32(row * i32(shape.width) + column), inside);
  return select(vec4f(), texel(input, pixel * (shape.inChannels / 4u) + channel), inside);
}

// The input at the tap columns of one output pixel, in one tap row.
struct Columns {
  a: vec4f,
  b: vec4f,
  c: vec4f,
}

// Moves on by a column.
fn next(previous: Columns, row: i32, column: i32, channel: u32) -> Columns {
  return Columns(previous.b, previous.c, load(row, column, channel));
}

// Adds the outer product of four input and four output channels, one column for each input channel.
fn addProduct(sum: mat4x4f, x: vec4f, d: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(x.x), d, sum[0]),
    fma(vec4f(x.y), d, sum[1]),
    fma(vec4f(x.z), d, sum[2]),
    fma(vec4f(x.w), d, sum[3]),
  );
}

fn store(split: u32, tap: u32, channel: u32, outChannel: u32, sum: mat4x4f) {
  let row = shape.outChannels / 4u;
  if (outChannel >= row) {
    return;
  }
  let i = ((split * kernel * kernel + tap) * shape.inChannels + 4u * channel) * row + outChannel;
  partials[i] = sum[0];
  partials[i + row] = sum[1];
  partials[i + 2u * row] = sum[2];
  partials[i + 3u * row] = sum[3];
}

fn either(takeFirst: bool, a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(
    select(b[0], a[0], takeFirst),
    select(b[1], a[1], takeFirst),
    select(b[2], a[2], takeFirst),
    select(b[3], a[3], takeFirst),
  );
}

fn pickColumn(kx: u32, a: mat4x4f, b: mat4x4f, c: mat4x4f) -> mat4x4f {
  return either(kx == 0u, a, either(kx == 1u, b, c));
}

// A tap's sum.
fn pick(
  tap: u32,
  a: mat4x4f, b: mat4x4f, c: mat4x4f,
  d: mat4x4f, e: mat4x4f, f: mat4x4f,
  g: mat4x4f, h: mat4x4f, i: mat4x4f,
) -> mat4x4f {
  let kx = tap % 3u;
  let last = either(tap < 6u, pickColumn(kx, d, e, f), pickColumn(kx, g, h, i));
  return either(tap < 3u, pickColumn(kx, a, b, c), last);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let outRow = shape.outChannels / 4u;
  let outTiles = (outRow + 3u) / 4u;
  let outChannel = i % outTiles * 4u;
  let outChannel1 = min(outChannel + 1u, outRow - 1u);
  let outChannel2 = min(outChannel + 2u, outRow - 1u);
  let outChannel3 = min(outChannel + 3u, outRow - 1u);
  let channel = i / outTiles % (shape.inChannels / 4u);
  let split = i / outTiles / (shape.inChannels / 4u);
  if (split * shape.rowsPerSplit >= shape.rows) {
    return;
  }
  var g00 = mat4x4f(); var h00 = mat4x4f(); var i00 = mat4x4f(); var j00 = mat4x4f();
  var g01 = mat4x4f(); var h01 = mat4x4f(); var i01 = mat4x4f(); var j01 = mat4x4f();
  var g02 = mat4x4f(); var h02 = mat4x4f(); var i02 = mat4x4f(); var j02 = mat4x4f();
  var g10 = mat4x4f(); var h10 = mat4x4f(); var i10 = mat4x4f(); var j10 = mat4x4f();
  var g11 = mat4x4f(); var h11 = mat4x4f(); var i11 = mat4x4f(); var j11 = mat4x4f();
  var g12 = mat4x4f(); var h12 = mat4x4f(); var i12 = mat4x4f(); var j12 = mat4x4f();
  var g20 = mat4x4f(); var h20 = mat4x4f(); var i20 = mat4x4f(); var j20 = mat4x4f();
  var g21 = mat4x4f(); var h21 = mat4x4f(); var i21 = mat4x4f(); var j21 = mat4x4f();
  var g22 = mat4x4f(); var h22 = mat4x4f(); var i22 = mat4x4f(); var j22 = mat4x4f();
  for (var row = split * shape.rowsPerSplit; row < min((split + 1u) * shape.rowsPerSplit, shape.rows); row++) {
    let row0 = inputRow(row, 0u);
    let row1 = inputRow(row, 1u);
    let row2 = inputRow(row, 2u);
    // The columns of the first pixel that it does not load. What lies before them is not used.
    let start = 1 - i32(shape.padding) - i32(shape.stride);
    var x0 = Columns(vec4f(), load(row0, start, channel), load(row0, start + 1, channel));
    var x1 = Columns(vec4f(), load(row1, start, channel), load(row1, start + 1, channel));
    var x2 = Columns(vec4f(), load(row2, start, channel), load(row2, start + 1, channel));
    for (var x = 0u; x < shape.outWidth; x++) {
      let end = i32((x + 1u) * shape.stride);
      if (kernel == 1u) {
        x0.a = load(row0, end + start - 1, channel);
      } else {
        for (var column = end - i32(shape.stride); column < end; column++) {
          x0 = next(x0, row0, column + start + 2, channel);
          x1 = next(x1, row1, column + start + 2, channel);
          x2 = next(x2, row2, column + start + 2, channel);
        }
      }
      let pixel = (row * shape.outWidth + x) * outRow;
      let d0 = texel(outputGradient, pixel + outChannel);
      let d1 = texel(outputGradient, pixel + outChannel1);
      let d2 = texel(outputGradient, pixel + outChannel2);
      let d3 = texel(outputGradient, pixel + outChannel3);
      g00 = addProduct(g00, x0.a, d0);
      h00 = addProduct(h00, x0.a, d1);
      i00 = addProduct(i00, x0.a, d2);
      j00 = addProduct(j00, x0.a, d3);
      if (kernel == 3u) {
        g01 = addProduct(g01, x0.b, d0);
        h01 = addProduct(h01, x0.b, d1);
        i01 = addProduct(i01, x0.b, d2);
        j01 = addProduct(j01, x0.b, d3);
        g02 = addProduct(g02, x0.c, d0);
        h02 = addProduct(h02, x0.c, d1);
        i02 = addProduct(i02, x0.c, d2);
        j02 = addProduct(j02, x0.c, d3);
        g10 = addProduct(g10, x1.a, d0);
        h10 = addProduct(h10, x1.a, d1);
        i10 = addProduct(i10, x1.a, d2);
        j10 = addProduct(j10, x1.a, d3);
        g11 = addProduct(g11, x1.b, d0);
        h11 = addProduct(h11, x1.b, d1);
        i11 = addProduct(i11, x1.b, d2);
        j11 = addProduct(j11, x1.b, d3);
        g12 = addProduct(g12, x1.c, d0);
        h12 = addProduct(h12, x1.c, d1);
        i12 = addProduct(i12, x1.c, d2);
        j12 = addProduct(j12, x1.c, d3);
        g20 = addProduct(g20, x2.a, d0);
        h20 = addProduct(h20, x2.a, d1);
        i20 = addProduct(i20, x2.a, d2);
        j20 = addProduct(j20, x2.a, d3);
        g21 = addProduct(g21, x2.b, d0);
        h21 = addProduct(h21, x2.b, d1);
        i21 = addProduct(i21, x2.b, d2);
        j21 = addProduct(j21, x2.b, d3);
        g22 = addProduct(g22, x2.c, d0);
        h22 = addProduct(h22, x2.c, d1);
        i22 = addProduct(i22, x2.c, d2);
        j22 = addProduct(j22, x2.c, d3);
      }
    }
  }
  // A uniform value also bounds it, so that it stays a loop.
  for (var tap = 0u; tap < min(kernel * kernel, shape.inChannels * 9u); tap++) {
    store(split, tap, channel, outChannel + 0u, pick(tap, g00, g01, g02, g10, g11, g12, g20, g21, g22));
    store(split, tap, channel, outChannel + 1u, pick(tap, h00, h01, h02, h10, h11, h12, h20, h21, h22));
    store(split, tap, channel, outChannel + 2u, pick(tap, i00, i01, i02, i10, i11, i12, i20, i21, i22));
    store(split, tap, channel, outChannel + 3u, pick(tap, j00, j01, j02, j10, j11, j12, j20, j21, j22));
  }
}
