// product[i, j] (=|+=) Σ_k left[i, k] · right[k, j] (+ bias[j])
//
// left    [rows, inner], or [inner, rows] with transposeLeft      float32
// right   [inner, columns], or [columns, inner] with transposeRight
// bias    [columns]; read only with addBias
// product [rows, columns]
// accumulate: add to what the result holds.
//
// Entry point `main`: `lanes` neighbouring invocations of a workgroup compute 4 × 4 products together. Each sums every
// lanes-th k in registers; then these sums are added pairwise, in a fixed order. Entry point `alone`, several times as
// fast on software adapters: one invocation computes 4 × 4 products, and stores them in a loop, because short programs
// compile faster on lavapipe.
// lanes: a power of two, at most 64.

struct Shape {
  rows: u32,
  columns: u32,
  inner: u32,
  transposeLeft: u32,
  transposeRight: u32,
  addBias: u32,
  accumulate: u32,
  lanes: u32,
}

@group(0) @binding(0) var<storage, read> left: array<f32>;
@group(0) @binding(1) var<storage, read> right: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> product: array<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

// Rows and columns beyond the last repeat it and are not stored.
fn leftAt(row: u32, k: u32) -> f32 {
  let i = min(row, shape.rows - 1u);
  return left[select(i * shape.inner + k, k * shape.rows + i, shape.transposeLeft != 0u)];
}

fn rightAt(k: u32, column: u32) -> f32 {
  let j = min(column, shape.columns - 1u);
  return right[select(k * shape.columns + j, j * shape.inner + k, shape.transposeRight != 0u)];
}

fn store(row: u32, column: u32, value: f32) {
  if (column >= shape.columns) {
    return;
  }
  var total = value;
  if (shape.addBias != 0u) {
    total += bias[column];
  }
  if (shape.accumulate != 0u) {
    total += product[row * shape.columns + column];
  }
  product[row * shape.columns + column] = total;
}

// Four rows of the left factor at one k, and four columns of the right one.
fn leftRows(row: u32, k: u32) -> vec4f {
  return vec4f(leftAt(row, k), leftAt(row + 1u, k), leftAt(row + 2u, k), leftAt(row + 3u, k));
}

fn rightColumns(k: u32, column: u32) -> vec4f {
  return vec4f(rightAt(k, column), rightAt(k, column + 1u), rightAt(k, column + 2u), rightAt(k, column + 3u));
}

// Sums of 4 × 4 products, with those of one more k added.
fn addProducts(sums: mat4x4f, rows: vec4f, columns: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(rows.x), columns, sums[0]),
    fma(vec4f(rows.y), columns, sums[1]),
    fma(vec4f(rows.z), columns, sums[2]),
    fma(vec4f(rows.w), columns, sums[3]),
  );
}

const threads = 64u;
var<workgroup> laneSums: array<mat4x4f, threads>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.x + group.y * groups.x) * (threads / shape.lanes) + thread / shape.lanes;
  let lane = thread % shape.lanes;
  let columnTiles = (shape.columns + 3u) / 4u;
  let row = i / columnTiles * 4u;
  let column = i % columnTiles * 4u;
  var sums = mat4x4f();
  for (var k = lane; k < shape.inner; k += shape.lanes) {
    sums = addProducts(sums, leftRows(row, k), rightColumns(k, column));
  }
  laneSums[thread] = sums;
  for (var half = shape.lanes / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      laneSums[thread] = laneSums[thread] + laneSums[thread + half];
    }
  }
  workgroupBarrier();
  for (var j = lane; j < 16u; j += shape.lanes) {
    if (row + j / 4u < shape.rows) {
      store(row + j / 4u, column + j % 4u, laneSums[thread - lane][j / 4u][j % 4u]);
    }
  }
}

// One of four values.
fn pick(k: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> vec4f {
  return select(select(d, c, k == 2u), select(b, a, k == 0u), k < 2u);
}

@compute @workgroup_size(64)
fn alone(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let columnTiles = (shape.columns + 3u) / 4u;
  let row = i / columnTiles * 4u;
  let column = i % columnTiles * 4u;
  if (row >= shape.rows) {
    return;
  }
  var sums = mat4x4f();
  for (var k = 0u; k < shape.inner; k++) {
    sums = addProducts(sums, leftRows(row, k), rightColumns(k, column));
  }
  for (var r = 0u; r < min(4u, shape.rows - row); r++) {
    let sum = pick(r, sums[0], sums[1], sums[2], sums[3]);
    store(row + r, column, sum.x);
    store(row + r, column + 1u, sum.y);
    store(row + r, column + 2u, sum.z);
    store(row + r, column + 3u, sum.w);
  }
}
