// partials[s, ky, kx, c, o] = Σ_n,y,x input[n, y·stride + ky − padding, x·stride + kx − padding, c] · outputGradient[n, y, x, o]
// over the s-th part of the output's pixels (n, y, x); the sum over s is the gradient by the weight.
//
// input          [N, height, width, inChannels]              float32, inChannels a multiple of 4
// outputGradient [N, outHeight, outWidth, outChannels]       outChannels a multiple of 4; N follows from its length
// partials       [splits, kernel, kernel, inChannels, outChannels]
// pixelsPerSplit: output pixels that one part sums.
//
// A matrix product whose rows are taps × input channels, whose columns are output channels and whose inner dimension are
// pixels. An invocation computes 8 rows × 8 columns in registers; a workgroup of rowThreads × columnThreads shares the 16
// pixels that it stages in workgroup memory at a time; in doing so an invocation stays with a vector of rows, so that it divides
// for that only once. Each split is a sum of its own, so the order of all additions is fixed.

override height: u32 = 8u;
override width: u32 = 8u;
override outHeight: u32 = 8u;
override outWidth: u32 = 8u;
override inChannels: u32 = 16u;
override outChannels: u32 = 16u;
override kernel: u32 = 3u;
override stride: u32 = 1u;
override padding: u32 = 1u;
override pixelsPerSplit: u32 = 64u;
override rowThreads: u32 = 8u;
override columnThreads: u32 = 8u;

// vec4h in variants in half precision.
alias Input = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

const pixelsPerStep = 16u;
// Vectors of four rows or columns of an invocation.
const vectorsPerThread = 2u;

override tileRows = rowThreads * vectorsPerThread;
override tileColumns = columnThreads * vectorsPerThread;
override threads = rowThreads * columnThreads;
// Vectors of rows that the invocations stage at once, and pixels of each.
override rowsAtOnce = min(threads, tileRows);
override pixelsAtOnce = max(threads / tileRows, 1u);

// [pixelsPerStep, tileRows] and [pixelsPerStep, tileColumns]; neighbouring invocations read neighbouring vectors.
var<workgroup> inputs: array<vec4f, pixelsPerStep * tileRows>;
var<workgroup> gradients: array<vec4f, pixelsPerStep * tileColumns>;

// What a vector of rows is: four channels of the input, `down` and `right` of the first that a window meets without padding.
struct Row {
  exists: bool,
  down: i32,
  right: i32,
  channel: u32,
}

fn rowOf(row: u32) -> Row {
  let channels = inChannels / 4u;
  let tap = row / channels;
  let exists = tap < kernel * kernel;
  return Row(exists, i32(tap / kernel) - i32(padding), i32(tap % kernel) - i32(padding), row % channels);
}

// Four channels of the input that output pixel `pixel` meets, for a vector of rows; zero in the padding and beyond `end`.
fn inputAt(pixel: u32, end: u32, row: Row) -> vec4f {
  let outRow = pixel / outWidth;
  let y = i32(outRow % outHeight * stride) + row.down;
  let x = i32(pixel % outWidth * stride) + row.right;
  let inside = pixel < end && row.exists && y >= 0 && y < i32(height) && x >= 0 && x < i32(width);
  if (!inside) {
    return vec4f();
  }
  return vec4f(input[((outRow / outHeight * height + u32(y)) * width + u32(x)) * (inChannels / 4u) + row.channel]);
}

fn gradientAt(pixel: u32, end: u32, column: u32) -> vec4f {
  let columns = outChannels / 4u;
  if (pixel >= end || column >= columns) {
    return vec4f();
  }
  return outputGradient[pixel * columns + column];
}

// Adds the outer product of four rows and four columns; a column of the matrix for each row.
fn addProduct(sum: mat4x4f, x: vec4f, d: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(x.x), d, sum[0]),
    fma(vec4f(x.y), d, sum[1]),
    fma(vec4f(x.z), d, sum[2]),
    fma(vec4f(x.w), d, sum[3]),
  );
}

fn store(split: u32, row: u32, column: u32, sum: mat4x4f) {
  let columns = outChannels / 4u;
  let rows = kernel * kernel * (inChannels / 4u);
  if (row >= rows || column >= columns) {
    return;
  }
  let i = 4u * (split * rows + row) * columns + column;
  partials[i] = sum[0];
  partials[i + columns] = sum[1];
  partials[i + 2u * columns] = sum[2];
  partials[i + 3u * columns] = sum[3];
}

@compute @workgroup_size(threads)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let workgroup = id.x + id.y * groups.x;
  let columnTiles = (outChannels / 4u + tileColumns - 1u) / tileColumns;
  let rowTiles = (kernel * kernel * (inChannels / 4u) + tileRows - 1u) / tileRows;
  let firstColumn = workgroup % columnTiles * tileColumns;
  let firstRow = workgroup / columnTiles % rowTiles * tileRows;
  let split = workgroup / columnTiles / rowTiles;
  let start = split * pixelsPerSplit;
  let end = min(start + pixelsPerSplit, arrayLength(&outputGradient) / (outChannels / 4u));
  let row = thread % rowThreads;
  let column = thread / rowThreads;
  // Where the vectors of rows do not divide the invocations, the last have none to stage.
  let firstPixel = select(pixelsPerStep, thread / rowsAtOnce, thread / rowsAtOnce < pixelsAtOnce);
  var sum00 = mat4x4f();
  var sum01 = mat4x4f();
  var sum10 = mat4x4f();
  var sum11 = mat4x4f();
  for (var pixel = start; pixel < end; pixel += pixelsPerStep) {
    workgroupBarrier();
    for (var r = thread % rowsAtOnce; r < tileRows; r += rowsAtOnce) {
      let staged = rowOf(firstRow + r);
      for (var k = firstPixel; k < pixelsPerStep; k += pixelsAtOnce) {
        inputs[k * tileRows + r] = inputAt(pixel + k, end, staged);
      }
    }
    for (var i = thread; i < pixelsPerStep * tileColumns; i += threads) {
      gradients[i] = gradientAt(pixel + i / tileColumns, end, firstColumn + i % tileColumns);
    }
    workgroupBarrier();
    for (var k = 0u; k < pixelsPerStep; k++) {
      let x0 = inputs[k * tileRows + row];
      let x1 = inputs[k * tileRows + row + rowThreads];
      let d0 = gradients[k * tileColumns + column];
      let d1 = gradients[k * tileColumns + column + columnThreads];
      sum00 = addProduct(sum00, x0, d0);
      sum01 = addProduct(sum01, x0, d1);
      sum10 = addProduct(sum10, x1, d0);
      sum11 = addProduct(sum11, x1, d1);
    }
  }
  store(split, firstRow + row, firstColumn + column, sum00);
  store(split, firstRow + row, firstColumn + column + columnThreads, sum01);
  store(split, firstRow + row + rowThreads, firstColumn + column, sum10);
  store(split, firstRow + row + rowThreads, firstColumn + column + columnThreads, sum11);
}
