/** Tells the effect of a LeakyReLU's kink on a tensor from the effect of an error in the computation. */

/** The effect that one kink may have in the l2 norm, as measured with the official code: up to one per cent. */
const kinkL2 = 1e-2;
/** The accuracy of the elements that no kink changed, as a share of the largest. */
const unchanged = 1e-3;
/** The share of a tensor's elements that kinks may change. */
const changedShare = 0.01;
/** A tensor with fewer elements than this would have less than one to set aside. */
const smallest = 1 / changedShare;
/** What the rest of a small tensor is right to in the l2 norm: half of the least error of scale that must not pass. */
const restL2 = 5e-3;

/** The errors of a tensor. */
export interface Errors {
  readonly largest: number;
  /** In the l2 norm, relative to the reference's. */
  readonly l2: number;
  /** The largest of those elements that kinks did not change. */
  readonly unchanged: number;
  /** The same elements' error in the l2 norm, relative to that of their reference. */
  readonly restL2: number;
}

/**
 * How many elements of a tensor kinks may change while the others stay right.
 *
 * A pre-activation within rounding error of zero may fall on the other side of the kink, where the slope is five times as
 * large or small. The gradient there changes by a fixed factor, at one of N·H·W places of one channel. What that does:
 *
 * - A layer has some 6·10⁴ pre-activations with a density of about 0.4 per standard deviation at zero, and rounding moves
 *   them by up to 10⁻⁶ of one either way: 6·10⁴ · 0.4 · 2·10⁻⁶ ≈ 0.05 of them cross in a pass. Two of one layer cross in
 *   0.05²/2, a thousandth of the passes.
 * - The bias gradient of the convolution before is a sum over all places, one for each channel: the crossing changes ONE
 *   element. Against the norm of C sums of S = N·H·W terms of random signs, that is about 1/√(S·C) in the l2 norm: 0.4 % for
 *   the smallest layer here (S = 256, C = 128), less for all others, and two or three times that where the gradient is large.
 * - A weight gradient changes in the 9·C_in elements of that channel; an image's gradient in the patch that the place sees.
 *   Both are a hundredth or less of their tensor.
 *
 * So a hundredth of the elements may be off, as a tensor of hundreds has them, but a tensor of fewer than a hundred has one
 * that may: a 99 % quantile of 64 elements is their largest, and would find that one. It hides no error, since its share of the
 * l2 norm is bounded as before: of 64 elements of equal size, one that is off by more than 8 % shows. That the others are right
 * is asked in the l2 norm too, because in a tensor of a few elements the one set aside may be nearly all of it.
 *
 * A single number is no such sum of one channel: losses are continuous in kinks, and norms of gradients change less than
 * the gradients. None of its elements is set aside.
 */
export function mayChange(elements: number): number {
  return elements === 1 ? 0 : Math.max(1, Math.floor(elements * changedShare));
}

/** Errors of `actual`, which has as many elements as `reference`; all infinite if an element is not a number. */
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
 * Whether errors are a kink's.
 * @param scale the largest value of the reference, or of the tensors that it is one of
 * @param tolerance what rounding alone may do to an element
 * @param rounding what it did to the tensor in the l2 norm
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
