// partials[s, ky, kx, c, o] = Σ_n,y,x input[n, y·stride + ky − padding, x·stride + kx − padding, c] · outputGradient[n, y, x, o]
// over the s-th part of the output's rows (n, y); the sum over s is the gradient with respect to the weight.
//
// input          [N, height, width, inChannels]              float32
// outputGradient [N, outHeight, outWidth, outChannels]       outChannels a multiple of 4; N follows from its length
// partials       [splits, kernel, kernel, inChannels, outChannels], kernel 1 or 3
// rowsPerSplit: output rows that one part sums.
//
// An invocation sums all taps of one input and four output channels while it slides along rows.

override height: u32 = 8u;
override width: u32 = 8u;
override outHeight: u32 = 8u;
override outWidth: u32 = 8u;
override inChannels: u32 = 16u;
override outChannels: u32 = 16u;
override kernel: u32 = 3u;
override stride: u32 = 1u;
override padding: u32 = 1u;
override rowsPerSplit: u32 = 8u;

// f16 in variants in half precision.
alias Input = f32;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

// Index of the pixel before column 0 of the input row that tap row ky meets, or −1 in the padding.
fn inputRow(row: u32, ky: u32) -> i32 {
  let y = i32(row % outHeight * stride + ky) - i32(padding);
  return select(-1, i32(row / outHeight * height) + y, y >= 0 && y < i32(height));
}

fn load(row: i32, column: i32, channel: u32) -> f32 {
  let inside = (row >= 0) & (u32(column) < width);
  let pixel = select(0u, u32(row * i32(width) + column), inside);
  return select(0.0, f32(input[pixel * inChannels + channel]), inside);
}

// The input at the tap columns of one output pixel, in one tap row.
struct Columns {
  a: f32,
  b: f32,
  c: f32,
}

// The columns before the first pixel of a row, so that moving on from them gives that pixel's columns.
fn before(row: i32, channel: u32) -> Columns {
  let column = -i32(padding);
  if (stride == 1u) {
    return Columns(0.0, load(row, column, channel), load(row, column + 1, channel));
  }
  return Columns(0.0, 0.0, load(row, column, channel));
}

// Moves on to the pixel x, and loads only the columns that the pixel before it did not have.
fn next(previous: Columns, row: i32, x: u32, channel: u32) -> Columns {
  let column = i32(x * stride) - i32(padding);
  if (kernel == 1u) {
    return Columns(load(row, column, channel), 0.0, 0.0);
  }
  if (stride == 1u) {
    return Columns(previous.b, previous.c, load(row, column + 2, channel));
  }
  if (stride == 2u) {
    return Columns(previous.c, load(row, column + 1, channel), load(row, column + 2, channel));
  }
  return Columns(load(row, column, channel), load(row, column + 1, channel), load(row, column + 2, channel));
}

fn store(split: u32, tap: u32, channel: u32, outChannel: u32, sum: vec4f) {
  partials[((split * kernel * kernel + tap) * inChannels + channel) * (outChannels / 4u) + outChannel] = sum;
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let outRow = outChannels / 4u;
  let outChannel = i % outRow;
  let channel = i / outRow % inChannels;
  let split = i / outRow / inChannels;
  let rows = arrayLength(&outputGradient) / (outWidth * outRow);
  if (split * rowsPerSplit >= rows) {
    return;
  }
  var g00 = vec4f();
  var g01 = vec4f();
  var g02 = vec4f();
  var g10 = vec4f();
  var g11 = vec4f();
  var g12 = vec4f();
  var g20 = vec4f();
  var g21 = vec4f();
  var g22 = vec4f();
  for (var row = split * rowsPerSplit; row < min((split + 1u) * rowsPerSplit, rows); row++) {
    let row0 = inputRow(row, 0u);
    let row1 = inputRow(row, 1u);
    let row2 = inputRow(row, 2u);
    var x0 = before(row0, channel);
    var x1 = before(row1, channel);
    var x2 = before(row2, channel);
    for (var x = 0u; x < outWidth; x++) {
      let d = outputGradient[(row * outWidth + x) * outRow + outChannel];
      x0 = next(x0, row0, x, channel);
      g00 = fma(vec4f(x0.a), d, g00);
      if (kernel == 3u) {
        x1 = next(x1, row1, x, channel);
        x2 = next(x2, row2, x, channel);
        g01 = fma(vec4f(x0.b), d, g01);
        g02 = fma(vec4f(x0.c), d, g02);
        g10 = fma(vec4f(x1.a), d, g10);
        g11 = fma(vec4f(x1.b), d, g11);
        g12 = fma(vec4f(x1.c), d, g12);
        g20 = fma(vec4f(x2.a), d, g20);
        g21 = fma(vec4f(x2.b), d, g21);
        g22 = fma(vec4f(x2.c), d, g22);
      }
    }
  }
  store(split, 0u, channel, outChannel, g00);
  if (kernel == 3u) {
    store(split, 1u, channel, outChannel, g01);
    store(split, 2u, channel, outChannel, g02);
    store(split, 3u, channel, outChannel, g10);
    store(split, 4u, channel, outChannel, g11);
    store(split, 5u, channel, outChannel, g12);
    store(split, 6u, channel, outChannel, g20);
    store(split, 7u, channel, outChannel, g21);
    store(split, 8u, channel, outChannel, g22);
  }
}
