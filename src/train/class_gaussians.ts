/** Gaussians of the classes of a data set, as means and low-rank factors of their covariances. */

import { type Dataset, imageBytes } from "../data/dataset.ts";
import { requireTrainingImages } from "../data/subsets.ts";
import { pivotedCholesky } from "../evaluate/symmetric.ts";
import { Purpose, RandomStream } from "../random/philox.ts";
import { CosineTransform } from "./cosine_transform.ts";

/** Means and factors of all classes. */
export interface ClassGaussians {
  /** μ, `[classes, H, W, C]`, of images in [−1, 1]. */
  readonly means: Float32Array<ArrayBuffer>;
  /** Columns of F, `[classes, rank, H, W, C]`: F·Fᵀ is the best approximation of this rank to the (1/n) covariance. */
  readonly factors: Float32Array<ArrayBuffer>;
  readonly rank: number;
  /**
   * What F leaves out: standard deviations of the coefficients of its cosine transform, `[classes, H, W, C]`, taken as
   * independent; see `cosine_transform.ts`.
   */
  readonly deviations?: Float32Array<ArrayBuffer> | undefined;
}

/** How to fit Gaussians. */
export interface FitOptions {
  /** Columns of the factors; fewer than there are pixels. */
  readonly rank: number;
  /** Whether to keep {@link ClassGaussians.deviations} too; off by default. */
  readonly spectrum?: boolean | undefined;
  /** Called with the share that is done. */
  readonly progress?: ((done: number) => void) | undefined;
}

/**
 * Multiplications by the covariance. On the digits, 12 leave 0.1 % more variance out of the factor than the best one does,
 * and 30 leave 0.0004 % more.
 */
const passes = 30;

/**
 * Fits a Gaussian to the training images of each class.
 * @throws {DataError} if a class has no images.
 */
export function fitClassGaussians(
  dataset: Dataset,
  { rank, spectrum = false, progress = () => {} }: FitOptions,
): ClassGaussians {
  requireTrainingImages(dataset);
  const { train, classNames, maximum, height, width, channels } = dataset;
  const size = imageBytes(dataset);
  const means = new Float32Array(classNames.length * size);
  const factors = new Float32Array(classNames.length * rank * size);
  const deviations = spectrum ? new Float32Array(classNames.length * size) : undefined;
  const transform = new CosineTransform([height, width, channels]);
  for (const label of classNames.keys()) {
    const members = [...train.labels.keys()].filter((i) => train.labels[i] === label);
    const images = members.map((i) =>
      Float64Array.from(train.bytes.subarray(i * size, (i + 1) * size), (byte) => byte / maximum * 2 - 1)
    );
    const mean = new Float64Array(size);
    for (const image of images) addScaled(mean, image, 1 / images.length);
    for (const image of images) addScaled(image, mean, -1);
    means.set(mean, label * size);
    const columns = principalFactor(images, rank);
    columns.forEach((column, k) => factors.set(column, (label * rank + k) * size));
    deviations?.set(residualDeviations(images, columns, transform), label * size);
    progress((label + 1) / classNames.length);
  }
  return { means, factors, rank, deviations };
}

/** √ of the diagonal of T·(A − F·Fᵀ)·Tᵀ, for the covariance A of centred images and the cosine transform T. */
function residualDeviations(
  images: readonly Float64Array[],
  columns: readonly Float64Array[],
  transform: CosineTransform,
): Float64Array {
  const variances = new Float64Array(images[0]!.length);
  const add = (vector: Float64Array, weight: number) =>
    transform.coefficients(vector).forEach((value, i) => variances[i]! += weight * value * value);
  for (const image of images) add(image, 1 / images.length);
  for (const column of columns) add(column, -1);
  // Where F has all the variance, rounding may leave less than nothing.
  return variances.map((variance) => Math.sqrt(Math.max(0, variance)));
}

/**
 * Columns of F, so that F·Fᵀ is nearest to the covariance A of centred images: Q·L with an orthonormal basis Q of A's
 * main subspace, found by subspace iteration, and L·Lᵀ = Qᵀ·A·Q by Cholesky's method. Columns beyond the rank of A are 0.
 */
function principalFactor(images: readonly Float64Array[], rank: number): Float64Array[] {
  const size = images[0]!.length;
  const random = new RandomStream(0, Purpose.direction, 0);
  const column = (k: number) => Float64Array.from({ length: size }, (_, i) => random.normal(k * size + i));
  let products: Float64Array[] = Array.from({ length: rank }, (_, k) => column(k));
  let basis: Float64Array[] = products;
  for (let pass = 0; pass < passes; pass++) {
    basis = orthonormal(products);
    products = basis.map((direction) => timesCovariance(images, direction));
  }
  const projected = Float64Array.from(basis.flatMap((row) => products.map((product) => dot(row, product))));
  const { factor, rank: found, order } = pivotedCholesky(projected, rank);
  return Array.from({ length: rank }, (_, k) => {
    const sum = new Float64Array(size);
    if (k < found) order.forEach((row, i) => addScaled(sum, basis[row]!, factor[i * found + k]!));
    return sum;
  });
}

/** An orthonormal basis of some vectors' span (Gram and Schmidt, twice for rounding), with zeros for dependent ones. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = vector.slice();
    for (let turn = 0; turn < 2; turn++) {
      for (const earlier of basis) addScaled(rest, earlier, -dot(earlier, rest));
    }
    const length = Math.sqrt(dot(rest, rest));
    const isDependent = length <= 1e-12 * Math.sqrt(dot(vector, vector));
    basis.push(rest.map((value) => isDependent ? 0 : value / length));
  }
  return basis;
}

/** A·v, with A = (1/n)·Σ x·xᵀ over centred images x. */
function timesCovariance(images: readonly Float64Array[], vector: Float64Array): Float64Array {
  const product = new Float64Array(vector.length);
  for (const image of images) addScaled(product, image, dot(image, vector) / images.length);
  return product;
}

function dot(first: Float64Array, second: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < first.length; i++) sum += first[i]! * second[i]!;
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source[i]!;
}
