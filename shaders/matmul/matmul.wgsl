// product[i, j] (=|+=) Σ_k left[i, k] · right[k, j] (+ bias[j])
//
// left    [rows, inner], or [inner, rows] with transposeLeft      float32
// right   [inner, columns], or [columns, inner] with transposeRight
// bias    [columns]; read only with addBias
// product [rows, columns]
// accumulate: add to what is there.
//
// An invocation computes 4 × 4 products in registers, and stores them in a loop: little code compiles faster on lavapipe.

struct Shape {
  rows: u32,
  columns: u32,
  inner: u32,
  transposeLeft: u32,
  transposeRight: u32,
  addBias: u32,
  accumulate: u32,
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

// One of four.
fn pick(k: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> vec4f {
  return select(select(d, c, k == 2u), select(b, a, k == 0u), k < 2u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let columnTiles = (shape.columns + 3u) / 4u;
  let row = i / columnTiles * 4u;
  let column = i % columnTiles * 4u;
  if (row >= shape.rows) {
    return;
  }
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var k = 0u; k < shape.inner; k++) {
    let r = vec4f(rightAt(k, column), rightAt(k, column + 1u), rightAt(k, column + 2u), rightAt(k, column + 3u));
    sum0 = fma(vec4f(leftAt(row, k)), r, sum0);
    sum1 = fma(vec4f(leftAt(row + 1u, k)), r, sum1);
    sum2 = fma(vec4f(leftAt(row + 2u, k)), r, sum2);
    sum3 = fma(vec4f(leftAt(row + 3u, k)), r, sum3);
  }
  for (var r = 0u; r < min(4u, shape.rows - row); r++) {
    let sum = pick(r, sum0, sum1, sum2, sum3);
    store(row + r, column, sum.x);
    store(row + r, column + 1u, sum.y);
    store(row + r, column + 2u, sum.z);
    store(row + r, column + 3u, sum.w);
  }
}
