/** A learning rate over the iterations of a run. */
export interface LearningRateSchedule {
  /** Learning rate after the warm-up. */
  readonly learningRate: number;
  /** Iterations over which it rises linearly from 0. With a warm-up, iteration 0 has rate 0. */
  readonly warmup: number;
  /** Iterations, ascending, at each of which it is multiplied by `decayRate` once more. */
  readonly decayIterations: readonly number[];
  readonly decayRate: number;
}

/** Learning rate of an iteration, counted from 0. */
export function learningRateAt(
  { learningRate, warmup, decayIterations, decayRate }: LearningRateSchedule,
  iteration: number,
): number {
  const decays = decayIterations.filter((start) => iteration >= start).length;
  return learningRate * Math.min(1, warmup > 0 ? iteration / warmup : 1) * decayRate ** decays;
}
