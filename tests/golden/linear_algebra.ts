/** The double-precision linear algebra that the comparisons need. */

/** A row-major matrix. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** A·B. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[i * a.columns + k]!;
      for (let j = 0; j < b.columns; j++) data[i * b.columns + j]! += factor * b.data[k * b.columns + j]!;
    }
  }
  return { rows: a.rows, columns: b.columns, data };
}

/** A·Bᵀ. */
export function multiplyTransposed(a: Matrix, b: Matrix): Matrix {
  const transposed = new Float64Array(b.data.length);
  for (let i = 0; i < b.rows; i++) {
    for (let j = 0; j < b.columns; j++) transposed[j * b.rows + i] = b.data[i * b.columns + j]!;
  }
  return multiply(a, { rows: b.columns, columns: b.rows, data: transposed });
}

/** The lower factor of a symmetric positive definite matrix: A = L·Lᵀ. */
export function cholesky({ rows, data }: Matrix): Matrix {
  const lower = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = data[i * rows + j]!;
      for (let k = 0; k < j; k++) rest -= lower[i * rows + k]! * lower[j * rows + k]!;
      lower[i * rows + j] = i === j ? Math.sqrt(rest) : rest / lower[j * rows + j]!;
    }
  }
  return { rows, columns: rows, data: lower };
}

/** The solution x of L·Lᵀ·x = b. */
export function solve({ rows, data }: Matrix, b: Float64Array): Float64Array {
  const x = b.slice();
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < i; k++) x[i]! -= data[i * rows + k]! * x[k]!;
    x[i]! /= data[i * rows + i]!;
  }
  for (let i = rows - 1; i >= 0; i--) {
    for (let k = i + 1; k < rows; k++) x[i]! -= data[k * rows + i]! * x[k]!;
    x[i]! /= data[i * rows + i]!;
  }
  return x;
}
