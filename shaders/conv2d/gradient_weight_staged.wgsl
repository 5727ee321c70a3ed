// partials[s, ky, kx, c, o] = Σ_n,y,x input[n, y·stride + ky − padding, x·stride + kx − padding, c] · outputGradient[n, y, x, o]
// over the s-th part of the output's pixels (n, y, x); the sum over s is the gradient with respect to the weight.
//
// input          [N, height, width, inChannels]              float32, inChannels a multiple of 4
// outputGradient [N, outHeight, outWidth, outChannels]       outChannels a multiple of 4; N follows from its length
// partials       [splits, kernel, kernel, inChannels, outChannels]
// pixelsPerSplit: output pixels that one part sums.
//
// A matrix product whose rows are taps × input channels, whose columns are output channels and whose inner dimension
// are pixels. An invocation computes 8 rows × columnVectors (1 or 2) vectors of columns in registers. A workgroup of
// rowThreads × columnThreads (2 of each at least) shares the 8 pixels that it stages in workgroup memory at a time. The
// values of the next step move from memory to registers while one is summed. Each split is a separate sum, so the order
// of all additions is fixed.

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
override columnVectors: u32 = 2u;

// vec4h in variants in half precision.
alias Input = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

const pixelsPerStep = 8u;
// Vectors of four rows of an invocation.
const rowVectors = 2u;

override tileRows = rowThreads * rowVectors;
override tileColumns = columnThreads * columnVectors;
override threads = rowThreads * columnThreads;
// Vectors that an invocation loads for a step, at most 8 of each.
override inputLoads = (pixelsPerStep * tileRows + threads - 1u) / threads;
override gradientLoads = (pixelsPerStep * tileColumns + threads - 1u) / threads;
// Whether every invocation has the same number.
override evenInputs = pixelsPerStep * tileRows % threads == 0u;
override evenGradients = pixelsPerStep * tileColumns % threads == 0u;
// Whether the pixels of a step are always in one row of the output, so that none is beyond the last.
override wholeSteps = outWidth % pixelsPerStep == 0u && pixelsPerSplit % pixelsPerStep == 0u;

// A vector of rows or columns at each pixel of a step. Pixels are constants, which compilers do not clamp. The length
// keeps what is read and what is written at the same time in different banks of memory.
alias Staged = array<vec4f, 9>;
var<workgroup> inputs: array<Staged, tileRows>;
var<workgroup> gradients: array<Staged, tileColumns>;

// Four channels, or zeros if they do not exist. This is decided when they are staged, because a branch or a selection
// earlier would wait for memory.
struct Vector {
  value: vec4f,
  exists: bool,
}

// What an invocation's load of a step adds to the step's first pixel: pixels of the output, rows and columns of the
// input, and an index into it.
struct Origin {
  pixel: u32,
  down: i32,
  right: i32,
  at: u32,
}

const nowhere = -0x40000000;

// A row of the product is a tap and a vector of input channels. Rows beyond the last lie outside the input.
fn inputOrigin(j: u32, thread: u32, firstRow: u32) -> Origin {
  let i = thread + j * threads;
  let row = firstRow + i % tileRows;
  let channels = inChannels / 4u;
  let tap = row / channels;
  let pixel = i / tileRows;
  let down = i32(tap / kernel) - i32(padding);
  let right = i32(tap % kernel) - i32(padding) + select(0, i32(pixel * stride), wholeSteps);
  let at = u32((down * i32(width) + right) * i32(channels)) + row % channels;
  return Origin(pixel, select(nowhere, down, tap < kernel * kernel), right, at);
}

// Four channels of the input that an output pixel of the step from `first` on meets; undefined in the padding and
// beyond `end`.
fn loadInput(j: u32, own: Origin, first: u32, end: u32) -> Vector {
  if (j >= inputLoads) {
    return Vector();
  }
  let pixel = select(first + own.pixel, first, wholeSteps);
  let outRow = pixel / outWidth;
  let top = outRow % outHeight * stride;
  let left = pixel % outWidth * stride;
  let inside = (wholeSteps || pixel < end) && u32(i32(top) + own.down) < height && u32(i32(left) + own.right) < width;
  let at = ((outRow / outHeight * height + top) * width + left) * (inChannels / 4u) + own.at;
  return Vector(vec4f(input[at]), inside);
}

// Which pixel of a step and which column an invocation loads. A constant pixel is not an index, which compilers clamp.
struct Part {
  pixel: u32,
  column: u32,
}

fn gradientPart(j: u32, thread: u32) -> Part {
  if (threads == tileColumns) {
    return Part(j, thread);
  }
  let i = thread + j * threads;
  return Part(i / tileColumns, i % tileColumns);
}

// Four channels of a pixel, with any values beyond the last channel, because those columns are not stored.
fn loadGradient(j: u32, thread: u32, first: u32, end: u32, firstColumn: u32) -> Vector {
  if (j >= gradientLoads) {
    return Vector();
  }
  let columns = outChannels / 4u;
  let part = gradientPart(j, thread);
  let column = firstColumn + part.column;
  let exists = wholeSteps || first + part.pixel < end;
  return Vector(outputGradient[first * columns + (part.pixel * columns + column)], exists);
}

fn stageInput(j: u32, thread: u32, x: Vector) {
  let i = thread + j * threads;
  if (j < inputLoads && (evenInputs || i < pixelsPerStep * tileRows)) {
    inputs[i % tileRows][i / tileRows] = select(vec4f(), x.value, x.exists);
  }
}

fn stageGradient(j: u32, thread: u32, d: Vector) {
  if (j < gradientLoads && (evenGradients || thread + j * threads < pixelsPerStep * tileColumns)) {
    // Decided here as well, because compilers do not follow a constant through a loop.
    let exists = wholeSteps || d.exists;
    let part = gradientPart(j, thread);
    gradients[part.column][part.pixel] = select(vec4f(), d.value, exists);
  }
}

// Where the vectors of the input are that an invocation loads.
struct Origins {
  x0: Origin, x1: Origin, x2: Origin, x3: Origin, x4: Origin, x5: Origin, x6: Origin, x7: Origin,
}

fn originsOf(thread: u32, firstRow: u32) -> Origins {
  return Origins(
    inputOrigin(0u, thread, firstRow),
    inputOrigin(1u, thread, firstRow),
    inputOrigin(2u, thread, firstRow),
    inputOrigin(3u, thread, firstRow),
    inputOrigin(4u, thread, firstRow),
    inputOrigin(5u, thread, firstRow),
    inputOrigin(6u, thread, firstRow),
    inputOrigin(7u, thread, firstRow),
  );
}

// What an invocation has loaded for a step.
struct Loaded {
  x0: Vector, x1: Vector, x2: Vector, x3: Vector, x4: Vector, x5: Vector, x6: Vector, x7: Vector,
  d0: Vector, d1: Vector, d2: Vector, d3: Vector, d4: Vector, d5: Vector, d6: Vector, d7: Vector,
}

fn load(origins: Origins, thread: u32, first: u32, end: u32, firstColumn: u32) -> Loaded {
  return Loaded(
    loadInput(0u, origins.x0, first, end),
    loadInput(1u, origins.x1, first, end),
    loadInput(2u, origins.x2, first, end),
    loadInput(3u, origins.x3, first, end),
    loadInput(4u, origins.x4, first, end),
    loadInput(5u, origins.x5, first, end),
    loadInput(6u, origins.x6, first, end),
    loadInput(7u, origins.x7, first, end),
    loadGradient(0u, thread, first, end, firstColumn),
    loadGradient(1u, thread, first, end, firstColumn),
    loadGradient(2u, thread, first, end, firstColumn),
    loadGradient(3u, thread, first, end, firstColumn),
    loadGradient(4u, thread, first, end, firstColumn),
    loadGradient(5u, thread, first, end, firstColumn),
    loadGradient(6u, thread, first, end, firstColumn),
    loadGradient(7u, thread, first, end, firstColumn),
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
  stageGradient(4u, thread, loaded.d4);
  stageGradient(5u, thread, loaded.d5);
  stageGradient(6u, thread, loaded.d6);
  stageGradient(7u, thread, loaded.d7);
}

// Adds the outer product of four rows and four columns, one column of the matrix for each row.
fn addProduct(sum: mat4x4f, x: vec4f, d: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(x.x), d, sum[0]),
    fma(vec4f(x.y), d, sum[1]),
    fma(vec4f(x.z), d, sum[2]),
    fma(vec4f(x.w), d, sum[3]),
  );
}

// The product of an invocation's two vectors of rows and its two vectors of columns.
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

// Not a loop: WebGPU counts the turns of loops, and pixels would not overlap.
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
  let origins = originsOf(thread, firstRow);
  var next = load(origins, thread, start, end, firstColumn);
  for (var pixel = start; pixel < end; pixel += pixelsPerStep) {
    // Nobody reads the last step's pixels any more.
    workgroupBarrier();
    stage(thread, next);
    workgroupBarrier();
    if (pixel + pixelsPerStep < end) {
      next = load(origins, thread, pixel + pixelsPerStep, end, firstColumn);
    }
    addStep(&sums, row, column);
  }
  store(split, firstRow + row, firstColumn + column, sums.s00);
  store(split, firstRow + row + rowThreads, firstColumn + column, sums.s10);
  if (columnVectors > 1u) {
    store(split, firstRow + row, firstColumn + column + columnThreads, sums.s01);
    store(split, firstRow + row + rowThreads, firstColumn + column + columnThreads, sums.s11);
  }
}
