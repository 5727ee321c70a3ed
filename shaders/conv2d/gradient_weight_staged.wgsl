// partials[s, ky, kx, c, o] = Σ_n,y,x input[n, y·stride + ky − padding, x·stride + kx − padding, c] · outputGradient[n, y, x, o]
// over the s-th part of the output's pixels (n, y, x); the sum over s is the gradient by the weight.
//
// input          [N, height, width, inChannels]              float32, inChannels a multiple of 4
// outputGradient [N, outHeight, outWidth, outChannels]       outChannels a multiple of 4; N follows from its length
// partials       [splits, kernel, kernel, inChannels, outChannels]
// pixelsPerSplit: output pixels that one part sums.
//
// A matrix product whose rows are taps × input channels, whose columns are output channels and whose inner dimension are
// pixels. An invocation computes 8 rows × 8 columns in registers; a workgroup of rowThreads (4 at least) × columnThreads (2 at least)
// shares the 8 pixels that it stages in workgroup memory at a time. What the next step needs is on its way from memory to registers
// while one is summed. Each split is a sum of its own, so the order of all additions is fixed.

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

const pixelsPerStep = 8u;
// Vectors of four rows or columns of an invocation.
const vectorsPerThread = 2u;

override tileRows = rowThreads * vectorsPerThread;
override tileColumns = columnThreads * vectorsPerThread;
override threads = rowThreads * columnThreads;
// Vectors that an invocation loads for a step, 8 and 4 at most.
override inputLoads = (pixelsPerStep * tileRows + threads - 1u) / threads;
override gradientLoads = (pixelsPerStep * tileColumns + threads - 1u) / threads;

// A vector of rows or columns at each pixel of a step. Pixels are constants, which no compiler clamps; the length keeps what is
// read and what is written at the same time in different banks of memory.
alias Staged = array<vec4f, 9>;
var<workgroup> inputs: array<Staged, tileRows>;
var<workgroup> gradients: array<Staged, tileColumns>;

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

// Four channels, or zeros instead if they do not exist: that is asked when they are staged, since whoever asks before waits for memory.
struct Vector {
  value: vec4f,
  exists: bool,
}

// Four channels of the input that output pixel `pixel` meets, for a vector of rows; none in the padding and beyond `end`.
fn inputAt(pixel: u32, end: u32, row: Row) -> Vector {
  let outRow = pixel / outWidth;
  let y = i32(outRow % outHeight * stride) + row.down;
  let x = i32(pixel % outWidth * stride) + row.right;
  let inside = pixel < end && row.exists && y >= 0 && y < i32(height) && x >= 0 && x < i32(width);
  let at = ((outRow / outHeight * height + u32(y)) * width + u32(x)) * (inChannels / 4u) + row.channel;
  return Vector(vec4f(input[at]), inside);
}

fn gradientAt(pixel: u32, end: u32, column: u32) -> Vector {
  let columns = outChannels / 4u;
  return Vector(outputGradient[pixel * columns + column], pixel < end && column < columns);
}

// Four channels of the input for an invocation's load number j of the step from `pixel` on.
fn loadInput(j: u32, thread: u32, pixel: u32, end: u32, firstRow: u32) -> Vector {
  let i = thread + j * threads;
  if (j >= inputLoads) {
    return Vector();
  }
  return inputAt(pixel + i / tileRows, end, rowOf(firstRow + i % tileRows));
}

fn loadGradient(j: u32, thread: u32, pixel: u32, end: u32, firstColumn: u32) -> Vector {
  let i = thread + j * threads;
  if (j >= gradientLoads) {
    return Vector();
  }
  return gradientAt(pixel + i / tileColumns, end, firstColumn + i % tileColumns);
}

fn stageInput(j: u32, thread: u32, x: Vector) {
  let i = thread + j * threads;
  if (j < inputLoads && i < pixelsPerStep * tileRows) {
    inputs[i % tileRows][i / tileRows] = select(vec4f(), x.value, x.exists);
  }
}

fn stageGradient(j: u32, thread: u32, d: Vector) {
  let i = thread + j * threads;
  if (j < gradientLoads && i < pixelsPerStep * tileColumns) {
    gradients[i % tileColumns][i / tileColumns] = select(vec4f(), d.value, d.exists);
  }
}

// What an invocation has loaded for a step.
struct Loaded {
  x0: Vector, x1: Vector, x2: Vector, x3: Vector, x4: Vector, x5: Vector, x6: Vector, x7: Vector,
  d0: Vector, d1: Vector, d2: Vector, d3: Vector,
}

fn load(thread: u32, pixel: u32, end: u32, firstRow: u32, firstColumn: u32) -> Loaded {
  return Loaded(
    loadInput(0u, thread, pixel, end, firstRow),
    loadInput(1u, thread, pixel, end, firstRow),
    loadInput(2u, thread, pixel, end, firstRow),
    loadInput(3u, thread, pixel, end, firstRow),
    loadInput(4u, thread, pixel, end, firstRow),
    loadInput(5u, thread, pixel, end, firstRow),
    loadInput(6u, thread, pixel, end, firstRow),
    loadInput(7u, thread, pixel, end, firstRow),
    loadGradient(0u, thread, pixel, end, firstColumn),
    loadGradient(1u, thread, pixel, end, firstColumn),
    loadGradient(2u, thread, pixel, end, firstColumn),
    loadGradient(3u, thread, pixel, end, firstColumn),
  );
}

fn stage(thread: u32, loaded: Loaded) {
  stageInput(0u, thread, loaded.x0);
  stageInput(1u, thread, loaded.x1);
  stageInput(2u, thread, loaded.x2);
  stageInput(3u, thread, loaded.x3);
  stageInput(4u, thread, loaded.x4);
  stageInput(5u, thread, loaded.x5);
  stageInput(6u, thread, loaded.x6);
  stageInput(7u, thread, loaded.x7);
  stageGradient(0u, thread, loaded.d0);
  stageGradient(1u, thread, loaded.d1);
  stageGradient(2u, thread, loaded.d2);
  stageGradient(3u, thread, loaded.d3);
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

// Of an invocation's two vectors of rows by its two vectors of columns.
struct Sums {
  s00: mat4x4f,
  s01: mat4x4f,
  s10: mat4x4f,
  s11: mat4x4f,
}

fn addPixel(sums: ptr<function, Sums>, k: u32, row: u32, column: u32) {
  let x0 = inputs[row][k];
  let x1 = inputs[row + rowThreads][k];
  let d0 = gradients[column][k];
  let d1 = gradients[column + columnThreads][k];
  (*sums).s00 = addProduct((*sums).s00, x0, d0);
  (*sums).s01 = addProduct((*sums).s01, x0, d1);
  (*sums).s10 = addProduct((*sums).s10, x1, d0);
  (*sums).s11 = addProduct((*sums).s11, x1, d1);
}

// Not a loop: WebGPU counts the turns of each, and pixels would not overlap.
fn addStep(sums: ptr<function, Sums>, row: u32, column: u32) {
  addPixel(sums, 0u, row, column);
  addPixel(sums, 1u, row, column);
  addPixel(sums, 2u, row, column);
  addPixel(sums, 3u, row, column);
  addPixel(sums, 4u, row, column);
  addPixel(sums, 5u, row, column);
  addPixel(sums, 6u, row, column);
  addPixel(sums, 7u, row, column);
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
  var sums = Sums();
  var next = load(thread, start, end, firstRow, firstColumn);
  for (var pixel = start; pixel < end; pixel += pixelsPerStep) {
    // Nobody reads the last step's pixels any more.
    workgroupBarrier();
    stage(thread, next);
    workgroupBarrier();
    if (pixel + pixelsPerStep < end) {
      next = load(thread, pixel + pixelsPerStep, end, firstRow, firstColumn);
    }
    addStep(&sums, row, column);
  }
  store(split, firstRow + row, firstColumn + column, sums.s00);
  store(split, firstRow + row, firstColumn + column + columnThreads, sums.s01);
  store(split, firstRow + row + rowThreads, firstColumn + column, sums.s10);
  store(split, firstRow + row + rowThreads, firstColumn + column + columnThreads, sums.s11);
}
