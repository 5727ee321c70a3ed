import { shareOf } from "../distributed/batches.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { FormatError } from "../errors.ts";
import { bytesOf } from "../formats/bytes.ts";
import { congruence, pivotedCholesky, symmetricEigenvalues } from "./symmetric.ts";

/** Mean and covariance of features, which distances between sets of images compare. */
export interface GaussianStatistics {
  readonly dimension: number;
  /** `[dimension]` */
  readonly mean: Float64Array<ArrayBuffer>;
  /** `[dimension, dimension]`, with n − 1 in the denominator like numpy's `cov`. */
  readonly covariance: Float64Array<ArrayBuffer>;
}

/**
 * Statistics of the rows of features, `[n, dimension]`.
 * @param communicator the ranks that divide the covariance's rows; all of them have the features, and each sum is that
 *   of one process
 * @throws {RangeError} with fewer than two rows.
 */
export async function gaussianStatistics(
  features: Float32Array,
  dimension: number,
  communicator: Communicator = oneProcess,
): Promise<GaussianStatistics> {
  const rows = features.length / dimension;
  if (rows < 2) throw new RangeError(`${rows} images have no covariance`);
  const mean = new Float64Array(dimension);
  features.forEach((value, i) => mean[i % dimension]! += value / rows);
  const covariance = new Float64Array(dimension * dimension);
  const own = bandsOf(communicator, dimension);
  const centred = Array.from({ length: rowsAtOnce }, () => new Float64Array(dimension));
  for (let first = 0; first < rows; first += rowsAtOnce) {
    centred.forEach((row, k) => {
      const start = (first + k) * dimension;
      for (let i = 0; i < dimension; i++) row[i] = first + k < rows ? features[start + i]! - mean[i]! : 0;
    });
    addProducts(covariance, centred, 1 / (rows - 1), own);
  }
  if (communicator.size > 1) await shareBands(communicator, covariance, dimension);
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j < i; j++) covariance[j * dimension + i] = covariance[i * dimension + j]!;
  }
  return { dimension, mean, covariance };
}

/** Rows of a matrix, from `first` up to `end`. */
interface Band {
  readonly first: number;
  readonly end: number;
}

/**
 * A rank's rows of a symmetric matrix in which row i needs only i + 1 elements: each row, and the one equally far from
 * the end.
 */
function bandsOf(place: Pick<Communicator, "rank" | "size">, dimension: number): readonly Band[] {
  const { first, end } = shareOf(place, Math.ceil(dimension / 2));
  return [{ first, end }, { first: Math.max(end, dimension - end), end: dimension - first }];
}

/** Gives all ranks the rows of every rank. */
async function shareBands(
  communicator: Communicator,
  matrix: Float64Array<ArrayBuffer>,
  dimension: number,
): Promise<void> {
  for (let rank = 0; rank < communicator.size; rank++) {
    for (const { first, end } of bandsOf({ rank, size: communicator.size }, dimension)) {
      const rows = matrix.subarray(first * dimension, end * dimension);
      if (rows.length > 0) await communicator.broadcast(bytesOf(rows), rank);
    }
  }
}

/**
 * What rounding may do to a covariance that another program computed, as a share of √(Σᵢᵢ·Σⱼⱼ). A sum of n products in
 * float32 is off by at most n·2⁻²⁴ times the sum of their sizes (Higham, Accuracy and Stability, 2002, section 3.1), which
 * Cauchy and Schwarz bound by (n − 1)·√(Σᵢᵢ·Σⱼⱼ): 0.5 % for the 80,000 images of the largest training set here, and twice
 * that between two such sums.
 */
const roundingShare = 0.01;

/**
 * Refuses invalid statistics: values that are not finite, variances below zero, an asymmetric matrix, or correlations
 * that exceed 1 by more than rounding explains.
 * @throws {FormatError} saying what is wrong and where.
 */
export function requireCovariance({ mean, covariance, dimension }: GaussianStatistics): void {
  const wrong = (what: string) => new FormatError(`the statistics are no mean and covariance: ${what}`);
  mean.forEach((value, i) => {
    if (!Number.isFinite(value)) throw wrong(`mu[${i}] is ${value}`);
  });
  const at = (i: number, j: number) => covariance[i * dimension + j]!;
  for (let i = 0; i < dimension; i++) {
    if (!(at(i, i) >= 0 && at(i, i) < Infinity)) throw wrong(`sigma[${i}, ${i}] is ${at(i, i)}`);
    for (let j = 0; j < i; j++) {
      const scale = Math.sqrt(at(i, i) * at(j, j));
      const [below, above] = [at(i, j), at(j, i)];
      if (!(Math.abs(below - above) <= roundingShare * scale)) {
        throw wrong(`sigma[${i}, ${j}] is ${below}, but sigma[${j}, ${i}] is ${above}`);
      }
      if (!(Math.abs(below) <= (1 + roundingShare) * scale)) {
        throw wrong(
          `sigma[${i}, ${j}] is ${below}, more than the variances ${at(i, i)} and ${at(j, j)} allow`,
        );
      }
    }
  }
}

/**
 * Rows of features that are taken together, because the covariance is far larger than a cache and is passed over once
 * for all of them.
 */
const rowsAtOnce = 8;

/** Adds the scaled products of each row with itself to bands of a matrix's lower half. */
function addProducts(
  matrix: Float64Array,
  rows: readonly Float64Array[],
  scale: number,
  bands: readonly Band[],
): void {
  const [a, b, c, d, e, f, g, h] = rows as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const n = a.length;
  for (const { first, end } of bands) {
    for (let i = first; i < end; i++) {
      const [ai, bi, ci, di] = [scale * a[i]!, scale * b[i]!, scale * c[i]!, scale * d[i]!];
      const [ei, fi, gi, hi] = [scale * e[i]!, scale * f[i]!, scale * g[i]!, scale * h[i]!];
      for (let j = 0, at = i * n; j <= i; j++, at++) {
        matrix[at]! += ai * a[j]! + bi * b[j]! + ci * c[j]! + di * d[j]! +
          ei * e[j]! + fi * f[j]! + gi * g[j]! + hi * h[j]!;
      }
    }
  }
}

/**
 * Fréchet distance of two Gaussians (Heusel et al., NeurIPS 2017): ‖μ₁ − μ₂‖² + tr Σ₁ + tr Σ₂ − 2 tr (Σ₁Σ₂)^½. The last
 * trace is the sum of the roots of the eigenvalues of Fᵀ·Σ₂·F with Σ₁ = F·Fᵀ. They are real, and negative only by
 * rounding. No square root of a matrix is needed, and covariances may be singular.
 * @throws {RangeError} if the dimensions differ.
 */
export function frechetDistance(first: GaussianStatistics, second: GaussianStatistics): number {
  const { dimension } = first;
  if (second.dimension !== dimension) {
    throw new RangeError(`features of ${dimension} and ${second.dimension} dimensions`);
  }
  const factor = pivotedCholesky(first.covariance, dimension);
  const inner = congruence(second.covariance, factor);
  const root = symmetricEigenvalues(inner, factor.rank).reduce(
    (sum, value) => sum + Math.sqrt(Math.max(0, value)),
    0,
  );
  const distance = first.mean.reduce((sum, value, i) => sum + (value - second.mean[i]!) ** 2, 0);
  return distance + trace(first) + trace(second) - 2 * root;
}

function trace({ covariance, dimension }: GaussianStatistics): number {
  let sum = 0;
  for (let i = 0; i < dimension; i++) sum += covariance[i * dimension + i]!;
  return sum;
}
