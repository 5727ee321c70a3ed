// transformed[p, r, s] = (G · g · Gᵀ)[p], the transform of 3×3 weights for Winograd's convolution F(m×m, 3×3) of stride 1
// g[ky, kx] = weight[ky, kx, s, r], or with `rotated` weight[2 − ky, 2 − kx, r, s], as the gradient by the input takes it
//
// weight      [3, 3, inChannels, outChannels]       float32
// transformed [(m + 2)², results, sources]          of in and out channels, results are out, or in with `rotated`
//
// A row of G evaluates a polynomial with the coefficients g at a point p, (1, p, p²), divided by the product of p's
// differences from the other points; the last row is (0, 0, 1), the point ∞.
//
// Entry point `two` for m = 2, at the points 0, 1, −1 and ∞; `four` for m = 4, at 0, 5/8, −5/8, 3/2, −3/2 and ∞. The usual
// points of the latter, 0, ±1, ±2 and ∞, double the rounding error, and the largest errors are four times as large.

override inChannels: u32 = 4u;
override outChannels: u32 = 4u;
override rotated: bool = false;

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read_write> transformed: array<f32>;

// Columns of G for m = 2.
const evaluate = mat3x4f(
  vec4f(-1.0, 0.5, 0.5, 0.0),
  vec4f(0.0, 0.5, -0.5, 0.0),
  vec4f(0.0, 0.5, 0.5, 1.0),
);

const a = 5.0 / 8.0;
const b = 3.0 / 2.0;
const divisorZero = a * a * b * b;
const divisorA = 2.0 * a * a * (a * a - b * b);
const divisorB = 2.0 * b * b * (b * b - a * a);
// Columns are the rows of G for m = 4: for the points 0, a, −a, and for b, −b, ∞.
const upper = mat3x3f(
  vec3f(1.0 / divisorZero, 0.0, 0.0),
  vec3f(1.0 / divisorA, a / divisorA, a * a / divisorA),
  vec3f(1.0 / divisorA, -a / divisorA, a * a / divisorA),
);
const lower = mat3x3f(
  vec3f(1.0 / divisorB, b / divisorB, b * b / divisorB),
  vec3f(1.0 / divisorB, -b / divisorB, b * b / divisorB),
  vec3f(0.0, 0.0, 1.0),
);

// Nine taps between one source channel and one result channel; a column holds those of one kx.
fn taps(i: u32) -> mat3x3f {
  let size = inChannels * outChannels;
  let result = i / inChannels;
  let source = i % inChannels;
  if (rotated) {
    return mat3x3f(
      vec3f(weight[8u * size + i], weight[5u * size + i], weight[2u * size + i]),
      vec3f(weight[7u * size + i], weight[4u * size + i], weight[size + i]),
      vec3f(weight[6u * size + i], weight[3u * size + i], weight[i]),
    );
  }
  let j = source * outChannels + result;
  return mat3x3f(
    vec3f(weight[j], weight[3u * size + j], weight[6u * size + j]),
    vec3f(weight[size + j], weight[4u * size + j], weight[7u * size + j]),
    vec3f(weight[2u * size + j], weight[5u * size + j], weight[8u * size + j]),
  );
}

@compute @workgroup_size(64)
fn two(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let size = inChannels * outChannels;
  if (i >= size) {
    return;
  }
  let rows = transpose(evaluate * taps(i) * transpose(evaluate));
  storeFour(i, rows[0]);
  storeFour(i + 4u * size, rows[1]);
  storeFour(i + 8u * size, rows[2]);
  storeFour(i + 12u * size, rows[3]);
}

fn storeFour(i: u32, row: vec4f) {
  let size = inChannels * outChannels;
  transformed[i] = row.x;
  transformed[i + size] = row.y;
  transformed[i + 2u * size] = row.z;
  transformed[i + 3u * size] = row.w;
}

@compute @workgroup_size(64)
fn four(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let size = inChannels * outChannels;
  if (i >= size) {
    return;
  }
  // Columns of G · g · Gᵀ transposed, so that a column is a row of the result.
  let along = transpose(taps(i));
  let top = along * upper;
  let bottom = along * lower;
  storeRows(i, transpose(upper) * top, transpose(lower) * top);
  storeRows(i + 18u * size, transpose(upper) * bottom, transpose(lower) * bottom);
}

// Three rows of six values.
fn storeRows(i: u32, left: mat3x3f, right: mat3x3f) {
  let size = inChannels * outChannels;
  storeSix(i, left[0], right[0]);
  storeSix(i + 6u * size, left[1], right[1]);
  storeSix(i + 12u * size, left[2], right[2]);
}

fn storeSix(i: u32, left: vec3f, right: vec3f) {
  let size = inChannels * outChannels;
  transformed[i] = left.x;
  transformed[i + size] = left.y;
  transformed[i + 2u * size] = left.z;
  transformed[i + 3u * size] = right.x;
  transformed[i + 4u * size] = right.y;
  transformed[i + 5u * size] = right.z;
}
