/**
 * Which checkpoints a run keeps: the newest ones, and older ones at roughly doubling distances to go back to, down to
 * the first.
 * @param iterations iterations of the existing checkpoints, in any order
 * @param keep number of newest ones to keep
 * @param every iterations between the checkpoints of the ladder. Others, left by an interruption, are kept only while
 *   they are among the newest, so that an interrupted run has the same ladder. 0 for no ladder
 * @returns the iterations of the checkpoints to delete
 */
export function superfluousCheckpoints(iterations: readonly number[], keep: number, every: number): number[] {
  const newestFirst = iterations.toSorted((a, b) => b - a);
  const kept = new Set(newestFirst.slice(0, keep));
  const regular = every > 0 ? newestFirst.filter((iteration) => iteration % every === 0) : [];
  regular.slice(0, keep).forEach((iteration) => kept.add(iteration));
  const newest = regular[0] ?? 0;
  const unit = Math.max(keep - 1, 1) * every;
  // The oldest at each distance from unit·2^n to unit·2^(n+1), because it is the last to leave that range.
  const oldest = new Map<number, number>();
  for (const iteration of regular.slice(keep)) {
    oldest.set(Math.ceil(Math.log2((newest - iteration) / unit)), iteration);
  }
  oldest.values().forEach((iteration) => kept.add(iteration));
  return newestFirst.filter((iteration) => !kept.has(iteration));
}
