/** The little linear algebra that distances between Gaussians need: symmetric matrices, row-major, in float64. */

/** A factor of a positive semidefinite matrix whose rows and columns have been reordered. */
export interface PivotedFactor {
  /** F, `[n, rank]`, lower triangular: row k has nothing beyond column k. */
  readonly factor: Float64Array;
  readonly rank: number;
  /** Which row of the matrix each row of F belongs to. */
  readonly order: Uint32Array;
}

/**
 * Factors a positive semidefinite matrix A, `[n, n]`, as F·Fᵀ up to the order of its rows, by Cholesky's method with
 * diagonal pivots. It stops where the rest of the diagonal is rounding error, so rank-deficient matrices are no special
 * case.
 */
export function pivotedCholesky(matrix: Float64Array, n: number): PivotedFactor {
  const left = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]!);
  const tolerance = n * Number.EPSILON * Math.max(...left, 0);
  const columns: Float64Array[] = [];
  const order: number[] = [];
  while (columns.length < n) {
    let pivot = 0;
    for (let i = 1; i < n; i++) if (left[i]! > left[pivot]!) pivot = i;
    if (!(left[pivot]! > tolerance)) break;
    const root = Math.sqrt(left[pivot]!);
    const column = matrix.slice(pivot * n, (pivot + 1) * n);
    for (const earlier of columns) {
      const factor = earlier[pivot]!;
      for (let i = 0; i < n; i++) column[i]! -= factor * earlier[i]!;
    }
    for (const done of order) column[done] = 0;
    for (let i = 0; i < n; i++) left[i]! -= (column[i]! /= root) ** 2;
    // Below any tolerance, so that a pivot is not chosen twice.
    left[pivot] = -Infinity;
    columns.push(column);
    order.push(pivot);
  }
  const rank = columns.length;
  for (let i = 0; i < n; i++) if (left[i]! > -Infinity) order.push(i);
  const factor = new Float64Array(n * rank);
  columns.forEach((column, k) => order.forEach((row, i) => factor[i * rank + k] = column[row]!));
  return { factor, rank, order: Uint32Array.from(order) };
}

/** Fᵀ·A·F, `[rank, rank]`, for a symmetric A, `[n, n]`, with rows and columns reordered like the factor's. */
export function congruence(matrix: Float64Array, { factor, rank, order }: PivotedFactor): Float64Array {
  const n = order.length;
  const result = new Float64Array(rank * rank);
  // Four rows of A·F at a time, then their part of Fᵀ·(A·F), because both matrices are far larger than a cache. F's
  // zeros are left out, and the lower half is enough.
  const [a, b, c, d] = [0, 1, 2, 3].map(() => new Float64Array(rank)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let k = 0; k < n; k += 4) {
    for (const row of [a, b, c, d]) row.fill(0);
    const entry = (row: number, m: number) => row < n ? matrix[order[row]! * n + order[m]!]! : 0;
    for (let m = 0; m < n; m++) {
      const [am, bm, cm, dm] = [entry(k, m), entry(k + 1, m), entry(k + 2, m), entry(k + 3, m)];
      const end = Math.min(m + 1, rank);
      for (let j = 0, at = m * rank; j < end; j++, at++) {
        const value = factor[at]!;
        a[j]! += am * value;
        b[j]! += bm * value;
        c[j]! += cm * value;
        d[j]! += dm * value;
      }
    }
    const last = Math.min(k + 4, rank);
    const weight = (row: number, i: number) => row < n ? factor[row * rank + i]! : 0;
    for (let i = 0; i < last; i++) {
      const [ai, bi, ci, di] = [weight(k, i), weight(k + 1, i), weight(k + 2, i), weight(k + 3, i)];
      for (let j = 0, at = i * rank; j <= i; j++, at++) {
        result[at]! += ai * a[j]! + bi * b[j]! + ci * c[j]! + di * d[j]!;
      }
    }
  }
  for (let i = 0; i < rank; i++) for (let j = 0; j < i; j++) result[j * rank + i] = result[i * rank + j]!;
  return result;
}

/**
 * Eigenvalues of a symmetric matrix, `[n, n]`, in no particular order: Householder's tridiagonal form, then QL with
 * implicit shifts.
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  const { diagonal, offDiagonal } = tridiagonal(matrix.slice(), n);
  return tridiagonalEigenvalues(diagonal, offDiagonal);
}

/** Reduces a symmetric matrix, whose upper half is read and overwritten, to tridiagonal form with the same eigenvalues. */
function tridiagonal(a: Float64Array, n: number): { diagonal: Float64Array; offDiagonal: Float64Array } {
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  const reflector = new Float64Array(n);
  const image = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    // The reflection that takes row k beyond the diagonal to a multiple of its first element's axis.
    let squares = 0;
    for (let j = k + 1; j < n; j++) squares += a[k * n + j]! ** 2;
    const head = a[k * n + k + 1]!;
    const norm = head > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    offDiagonal[k] = norm;
    if (squares === 0) continue;
    for (let j = k + 1; j < n; j++) reflector[j] = a[k * n + j]!;
    reflector[k + 1]! -= norm;
    const beta = 1 / (squares - norm * head);
    reflect(a, n, k + 1, reflector, image, beta);
  }
  if (n > 1) offDiagonal[n - 2] = a[(n - 2) * n + n - 1]!;
  for (let k = 0; k < n; k++) diagonal[k] = a[k * n + k]!;
  return { diagonal, offDiagonal };
}

/** A ← (I − β·u·uᵀ)·A·(I − β·u·uᵀ) on the rows and columns from `first` on, in the upper half alone. */
function reflect(
  a: Float64Array,
  n: number,
  first: number,
  u: Float64Array,
  p: Float64Array,
  beta: number,
): void {
  p.fill(0, first);
  for (let i = first; i < n; i++) {
    const ui = u[i]!;
    let sum = a[i * n + i]! * ui;
    for (let j = i + 1, at = i * n + j; j < n; j++, at++) {
      const value = a[at]!;
      sum += value * u[j]!;
      p[j]! += value * ui;
    }
    p[i]! += sum;
  }
  let along = 0;
  for (let i = first; i < n; i++) along += (p[i]! *= beta) * u[i]!;
  const half = beta * along / 2;
  for (let i = first; i < n; i++) p[i]! -= half * u[i]!;
  for (let i = first; i < n; i++) {
    const [ui, pi] = [u[i]!, p[i]!];
    for (let j = i, at = i * n + i; j < n; j++, at++) a[at]! -= ui * p[j]! + pi * u[j]!;
  }
}

/** More QL iterations than one eigenvalue ever needs. */
const mostIterations = 60;

/** Eigenvalues of the tridiagonal matrix; both arrays are overwritten (Bowdler, Martin, Reinsch, Wilkinson, 1968). */
function tridiagonalEigenvalues(d: Float64Array, e: Float64Array): Float64Array {
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (let iteration = 0; iteration < mostIterations; iteration++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      const slope = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      const root = Math.hypot(slope, 1);
      let g = d[m]! - d[l]! + e[l]! / (slope + (slope < 0 ? -root : root));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        const r = e[i + 1] = Math.hypot(f, g);
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        [s, c] = [f / r, g / r];
        g = d[i + 1]! - p;
        const t = (d[i]! - g) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
      }
      if (i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return d;
}
