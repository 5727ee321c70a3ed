// product[i, j] (=|+=) Σ_k left[i, k] · right[k, j] (+ bias[j])
//
// left    [rows, inner], or [inner, rows] with transposeLeft      float32
// right   [inner, columns], or [columns, inner] with transposeRight
// bias    [columns]; read only with addBias
// product [rows, columns]
// accumulate: add to what is there.
//
// An invocation computes 4 × 4 products in registers.

override rows: u32 = 1u;
override columns: u32 = 1u;
override inner: u32 = 1u;
override transposeLeft: bool = false;
override transposeRight: bool = false;
override addBias: bool = false;
override accumulate: bool = false;

@group(0) @binding(0) var<storage, read> left: array<f32>;
@group(0) @binding(1) var<storage, read> right: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> product: array<f32>;

// Rows and columns beyond the last repeat it and are not stored.
fn leftAt(row: u32, k: u32) -> f32 {
  let i = min(row, rows - 1u);
  return left[select(i * inner + k, k * rows + i, transposeLeft)];
}

fn rightAt(k: u32, column: u32) -> f32 {
  let j = min(column, columns - 1u);
  return right[select(k * columns + j, j * inner + k, transposeRight)];
}

fn store(row: u32, column: u32, value: f32) {
  if (row >= rows || column >= columns) {
    return;
  }
  var total = value;
  if (addBias) {
    total += bias[column];
  }
  if (accumulate) {
    total += product[row * columns + column];
  }
  product[row * columns + column] = total;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let columnTiles = (columns + 3u) / 4u;
  let row = i / columnTiles * 4u;
  let column = i % columnTiles * 4u;
  if (row >= rows) {
    return;
  }
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var k = 0u; k < inner; k++) {
    let r = vec4f(rightAt(k, column), rightAt(k, column + 1u), rightAt(k, column + 2u), rightAt(k, column + 3u));
    sum0 = fma(vec4f(leftAt(row, k)), r, sum0);
    sum1 = fma(vec4f(leftAt(row + 1u, k)), r, sum1);
    sum2 = fma(vec4f(leftAt(row + 2u, k)), r, sum2);
    sum3 = fma(vec4f(leftAt(row + 3u, k)), r, sum3);
  }
  store(row + 0u, column + 0u, sum0.x);
  store(row + 0u, column + 1u, sum0.y);
  store(row + 0u, column + 2u, sum0.z);
  store(row + 0u, column + 3u, sum0.w);
  store(row + 1u, column + 0u, sum1.x);
  store(row + 1u, column + 1u, sum1.y);
  store(row + 1u, column + 2u, sum1.z);
  store(row + 1u, column + 3u, sum1.w);
  store(row + 2u, column + 0u, sum2.x);
  store(row + 2u, column + 1u, sum2.y);
  store(row + 2u, column + 2u, sum2.z);
  store(row + 2u, column + 3u, sum2.w);
  store(row + 3u, column + 0u, sum3.x);
  store(row + 3u, column + 1u, sum3.y);
  store(row + 3u, column + 2u, sum3.z);
  store(row + 3u, column + 3u, sum3.w);
}
