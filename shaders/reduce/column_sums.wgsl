// sums[k, j] (=|+=) Σ matrix[i, j] over the k-th chunk of rows i
//
// matrix [rows, columns], sums [chunks, columns]: float32. The entry point `vectors` sums four columns at once, for
// numbers of columns that are a multiple of 4; `scalars` sums any number. A workgroup of 64 takes a chunk of 64 / lanes
// of these, and its invocations every lanes-th row of one; then the first of these adds their sums, in order. In
// `…ThroughTexture` an invocation takes a chunk of one, and reads from a texture of format rgba32float, 1,024 texels
// wide, that holds the matrix row by row: much faster on software adapters.
// rowsPerChunk: rows that one chunk sums; the last may have fewer. accumulate: add to what the result holds.
// lanes: invocations that share a chunk of a column; a power of two, at most 64.

override lanes: u32 = 8u;

struct Shape {
  rows: u32,
  columns: u32,
  rowsPerChunk: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> matrix: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@group(0) @binding(0) var<storage, read> vectorMatrix: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> vectorSums: array<vec4f>;
@group(0) @binding(0) var matrixTexture: texture_2d<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

const threads = 64u;
override width = threads / lanes;
var<workgroup> laneSums: array<vec4f, threads>;

// What an invocation of a workgroup takes: the number of a chunk; a column or vector of columns, none if it lies beyond
// the last; and a lane, which is the first of its rows.
struct Place {
  chunk: u32,
  column: u32,
  lane: u32,
}

fn placeOf(workgroup: u32, thread: u32, count: u32) -> Place {
  let tiles = (count + width - 1u) / width;
  return Place(workgroup / tiles, workgroup % tiles * width + thread % width, thread / width);
}

// The sum of all lanes, in the first of them. All invocations of a workgroup must call this.
fn sumOfLanes(own: vec4f, thread: u32) -> vec4f {
  if (lanes == 1u) {
    return own;
  }
  laneSums[thread] = own;
  workgroupBarrier();
  var total = laneSums[thread % width];
  for (var lane = 1u; lane < lanes; lane++) {
    total += laneSums[lane * width + thread % width];
  }
  return total;
}

// The rows of a chunk, from the first to before the last.
fn rowsOf(chunk: u32) -> vec2u {
  return vec2u(chunk * shape.rowsPerChunk, min((chunk + 1u) * shape.rowsPerChunk, shape.rows));
}

fn storeScalar(i: u32, sum: f32) {
  if (shape.accumulate != 0u) {
    sums[i] += sum;
  } else {
    sums[i] = sum;
  }
}

fn storeVector(i: u32, sum: vec4f) {
  if (shape.accumulate != 0u) {
    vectorSums[i] += sum;
  } else {
    vectorSums[i] = sum;
  }
}

@compute @workgroup_size(threads)
fn scalars(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let place = placeOf(group.x + group.y * groups.x, thread, shape.columns);
  let rows = rowsOf(place.chunk);
  let exists = rows.x < shape.rows && place.column < shape.columns;
  let end = select(0u, rows.y, exists);
  let step = lanes * shape.columns;
  var sum = 0.0;
  var row = rows.x + place.lane;
  var at = row * shape.columns + place.column;
  // Four at a time, so that loads do not wait for one another: compilers do not unroll this loop.
  for (; row + 3u * lanes < end; row += 4u * lanes) {
    let x0 = matrix[at];
    let x1 = matrix[at + step];
    let x2 = matrix[at + 2u * step];
    let x3 = matrix[at + 3u * step];
    sum += x0;
    sum += x1;
    sum += x2;
    sum += x3;
    at += 4u * step;
  }
  for (; row < end; row += lanes) {
    sum += matrix[at];
    at += step;
  }
  let total = sumOfLanes(vec4f(sum), thread);
  if (place.lane == 0u && exists) {
    storeScalar(place.chunk * shape.columns + place.column, total.x);
  }
}

// The i-th vector of the matrix in its texture.
fn texel(i: u32) -> vec4f {
  return textureLoad(matrixTexture, vec2u(i % 1024u, i / 1024u), 0);
}

@compute @workgroup_size(64)
fn scalarsThroughTexture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let chunk = rowsOf(i / shape.columns);
  if (chunk.x >= shape.rows) {
    return;
  }
  var total = 0.0;
  for (var row = chunk.x; row < chunk.y; row++) {
    let value = row * shape.columns + i % shape.columns;
    total += texel(value / 4u)[value % 4u];
  }
  storeScalar(i, total);
}

@compute @workgroup_size(threads)
fn vectors(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = shape.columns / 4u;
  let place = placeOf(group.x + group.y * groups.x, thread, columns);
  let rows = rowsOf(place.chunk);
  let exists = rows.x < shape.rows && place.column < columns;
  let end = select(0u, rows.y, exists);
  let step = lanes * columns;
  var sum = vec4f();
  var row = rows.x + place.lane;
  var at = row * columns + place.column;
  // Four at a time, as in `scalars`.
  for (; row + 3u * lanes < end; row += 4u * lanes) {
    let x0 = vectorMatrix[at];
    let x1 = vectorMatrix[at + step];
    let x2 = vectorMatrix[at + 2u * step];
    let x3 = vectorMatrix[at + 3u * step];
    sum += x0;
    sum += x1;
    sum += x2;
    sum += x3;
    at += 4u * step;
  }
  for (; row < end; row += lanes) {
    sum += vectorMatrix[at];
    at += step;
  }
  let total = sumOfLanes(sum, thread);
  if (place.lane == 0u && exists) {
    storeVector(place.chunk * columns + place.column, total);
  }
}

@compute @workgroup_size(64)
fn vectorsThroughTexture(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let columns = shape.columns / 4u;
  let chunk = rowsOf(i / columns);
  if (chunk.x >= shape.rows) {
    return;
  }
  var total = vec4f();
  for (var row = chunk.x; row < chunk.y; row++) {
    total += texel(row * columns + i % columns);
  }
  storeVector(i, total);
}
