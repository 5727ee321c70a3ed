/** Tells whether a difference in a tensor comes from a LeakyReLU's kink or from an error in the computation. */

/** The largest effect of one kink in the l2 norm, as measured with the official code: up to one per cent. */
const kinkL2 = 1e-2;
/** The accuracy of the elements that no kink changed, relative to the largest element. */
const unchanged = 1e-3;
/** The share of a tensor's elements that kinks may change. */
const changedShare = 0.01;
/** A tensor with fewer elements than this would have less than one element to set aside. */
const smallest = 1 / changedShare;
/** The bound for the rest of a small tensor in the l2 norm: half of the smallest error of scale that must not pass. */
const restL2 = 5e-3;

export interface Errors {
  readonly largest: number;
  /** The error in the l2 norm, relative to the norm of the reference. */
  readonly l2: number;
  /** The largest error of the elements that kinks did not change. */
  readonly unchanged: number;
  /** The error of the same elements in the l2 norm, relative to the norm of their reference. */
  readonly restL2: number;
}

/**
 * How many elements of a tensor kinks may change while the others stay right.
 *
 * A pre-activation within rounding error of zero may fall on the other side of the kink, where the slope is five times
 * as large or small. The gradient there changes by a fixed factor, at one of N·H·W places of one channel. The effects
 * are:
 *
 * - A layer has some 6·10⁴ pre-activations with a density of about 0.4 per standard deviation at zero. Rounding moves
 *   them by up to 10⁻⁶ of one either way, so 6·10⁴ · 0.4 · 2·10⁻⁶ ≈ 0.05 of them cross in a pass. Two of one layer
 *   cross in 0.05²/2, a thousandth of the passes.
 * - The bias gradient of the convolution before is a sum over all places, one for each channel, so the crossing changes
 *   ONE element. Against the norm of C sums of S = N·H·W terms of random signs, that is about 1/√(S·C) in the l2 norm:
 *   0.4 % for the smallest layer here (S = 256, C = 128) and less for all others. It is two or three times that where
 *   the gradient is large.
 * - A weight gradient changes in the 9·C_in elements of that channel. An image's gradient changes in the patch that the
 *   place sees. Both are a hundredth or less of their tensor.
 *
 * So in a tensor of hundreds of elements, a hundredth of them may be off. In a tensor of fewer than a hundred, one may
 * be off. A 99 % quantile of 64 elements is their largest, and would find that one. Setting it aside hides no error,
 * because its share of the l2 norm is bounded as before: of 64 elements of equal size, one that is off by more than 8 %
 * shows. The others must be right in the l2 norm too, because in a tensor of a few elements the one set aside may be
 * nearly all of it.
 *
 * A single number is not such a sum of one channel. Losses are continuous in kinks, and norms of gradients change less
 * than the gradients. So no element of it is set aside.
 */
export function mayChange(elements: number): number {
  return elements === 1 ? 0 : Math.max(1, Math.floor(elements * changedShare));
}

/**
 * Errors of `actual`, which must have as many elements as `reference`. All are infinite if an element is not a number.
 */
export function errorsOf(actual: Float32Array, reference: Float32Array): Errors {
  const differences = actual.map((value, i) => Math.abs(value - reference[i]!));
  if (differences.some(Number.isNaN)) {
    return { largest: Infinity, l2: Infinity, unchanged: Infinity, restL2: Infinity };
  }
  const sorted = differences.toSorted();
  const threshold = sorted[sorted.length - 1 - mayChange(sorted.length)] ?? 0;
  const isRest = (i: number) => differences[i]! <= threshold;
  return {
    largest: sorted.at(-1) ?? 0,
    l2: relative(differences, reference),
    unchanged: threshold,
    restL2: relative(differences.filter((_, i) => isRest(i)), reference.filter((_, i) => isRest(i))),
  };
}

/**
 * Whether a kink explains the errors.
 * @param scale the largest value of the reference, or of the tensors that it belongs to
 * @param tolerance the error of an element that rounding alone may cause
 * @param rounding the error of the tensor in the l2 norm that rounding caused
 */
export function areOfKinks(
  errors: Errors,
  elements: number,
  { scale, tolerance, rounding }: {
    readonly scale: number;
    readonly tolerance: number;
    readonly rounding: number;
  },
): boolean {
  const isSmall = elements > 1 && elements < smallest;
  return errors.l2 <= Math.max(kinkL2, rounding) &&
    errors.unchanged <= Math.max(unchanged * scale, tolerance) &&
    (!isSmall || errors.restL2 <= Math.max(restL2, rounding));
}

function relative(differences: Float32Array, reference: Float32Array): number {
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(differences) / (norm(reference) || 1);
}
