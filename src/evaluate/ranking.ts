/** How well a score tells two sets of images apart. Ties count half, as in scikit-learn. */

/** Figures of merit; each is 1 for a perfect score. */
export interface Separation {
  /** Area under the ROC curve: the probability that a positive has the higher score. */
  readonly auroc: number;
  /** Area under the precision-recall curve (average precision), with the positives as the class to find. */
  readonly aupr: number;
  /** Share of negatives accepted at the threshold that accepts 95 % of the positives; 0 is perfect. */
  readonly falsePositiveRate95: number;
}

const wantedRecall = 0.95;

/**
 * Compares the scores of positives (in-distribution images) with those of negatives.
 * @throws {RangeError} if one of the sets is empty or a score is NaN.
 */
export function separation(positives: ArrayLike<number>, negatives: ArrayLike<number>): Separation {
  const [wanted, others] = [positives.length, negatives.length];
  if (wanted === 0 || others === 0) throw new RangeError("scores of both sets are needed");
  const steps = thresholds(positives, negatives);
  let [truePositives, falsePositives] = [0, 0];
  let auroc = 0;
  let aupr = 0;
  let falsePositiveRate95 = 1;
  for (const { positive, negative } of steps) {
    auroc += negative * (truePositives + positive / 2);
    truePositives += positive;
    falsePositives += negative;
    aupr += positive * truePositives / (truePositives + falsePositives);
    if (truePositives - positive < wantedRecall * wanted && truePositives >= wantedRecall * wanted) {
      falsePositiveRate95 = falsePositives / others;
    }
  }
  return { auroc: auroc / (wanted * others), aupr: aupr / wanted, falsePositiveRate95 };
}

/** Number of positives and negatives with each score, from the highest down. */
function thresholds(positives: ArrayLike<number>, negatives: ArrayLike<number>) {
  const all = [
    ...Array.from(positives, (score) => ({ score, positive: 1, negative: 0 })),
    ...Array.from(negatives, (score) => ({ score, positive: 0, negative: 1 })),
  ];
  if (all.some(({ score }) => Number.isNaN(score))) throw new RangeError("a score is not a number");
  all.sort((a, b) => b.score - a.score);
  const steps: { score: number; positive: number; negative: number }[] = [];
  for (const { score, positive, negative } of all) {
    const last = steps.at(-1);
    if (last?.score === score) {
      last.positive += positive;
      last.negative += negative;
    } else {
      steps.push({ score, positive, negative });
    }
  }
  return steps;
}
