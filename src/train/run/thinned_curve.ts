/** A point of a curve: its place in training, and its value. */
export interface CurvePoint {
  readonly iteration: number;
  /** Time since the run's start; NaN if the run did not record it. */
  readonly seconds: number;
  /** NaN if the iteration had no finite value. */
  readonly value: number;
}

/** Most points in a bucket: the first, the last, the lowest and the highest. */
const keptOfBucket = 4;

/**
 * A curve in bounded memory. Neighbouring iterations share a bucket, of which the first, the last, the lowest and the
 * highest point stay, so that no spike is lost and both ends are exact. While there are few iterations, each has its
 * own bucket. When there are too many buckets, neighbours merge.
 */
export class ThinnedCurve {
  readonly #mostBuckets: number;
  /** The points that are kept, by bucket, in order of iteration. */
  readonly #buckets = new Map<number, CurvePoint[]>();
  /** Iterations that share a bucket. */
  #width = 1;

  /** @param mostBuckets the curve keeps at most four times this number of points */
  constructor(mostBuckets = 1024) {
    this.#mostBuckets = mostBuckets;
  }

  /** Points that are kept. */
  get count(): number {
    return this.#buckets.values().reduce((sum, points) => sum + points.length, 0);
  }

  /** Adds a point. It replaces an earlier one of the same iteration. */
  add(point: CurvePoint): void {
    const key = Math.floor(point.iteration / this.#width);
    const bucket = this.#buckets.get(key);
    if (!bucket) this.#buckets.set(key, [point]);
    else if (point.iteration > bucket.at(-1)!.iteration) append(bucket, point);
    else {
      const others = bucket.filter(({ iteration }) => iteration !== point.iteration);
      this.#buckets.set(key, kept([...others, point]));
    }
    while (this.#buckets.size > this.#mostBuckets) this.#merge();
  }

  /** The points that are kept, by iteration. */
  points(): CurvePoint[] {
    return [...this.#buckets].sort(([a], [b]) => a - b).flatMap(([, points]) => points);
  }

  #merge(): void {
    this.#width *= 2;
    const buckets = [...this.#buckets];
    this.#buckets.clear();
    for (const [key, points] of buckets) {
      const merged = Math.floor(key / 2);
      this.#buckets.set(merged, kept([...this.#buckets.get(merged) ?? [], ...points]));
    }
  }
}

/**
 * The points that stay in a bucket, in order of iteration. A point without a value stays only if there is no other: it
 * shows a gap.
 */
function kept(points: readonly CurvePoint[]): CurvePoint[] {
  const [first, ...others] = points.toSorted((a, b) => a.iteration - b.iteration);
  const bucket = [first!];
  for (const point of others) append(bucket, point);
  return bucket;
}

/** Adds a later point to a bucket, and removes one that need not be kept. */
function append(bucket: CurvePoint[], point: CurvePoint): void {
  if (Number.isNaN(point.value)) return;
  if (Number.isNaN(bucket[0]!.value)) bucket[0] = point;
  else bucket.push(point);
  if (bucket.length <= keptOfBucket) return;
  let [lowest, highest] = [0, 0];
  for (let i = 1; i < bucket.length; i++) {
    if (bucket[i]!.value < bucket[lowest]!.value) lowest = i;
    if (bucket[i]!.value > bucket[highest]!.value) highest = i;
  }
  let spare = 1;
  while (spare === lowest || spare === highest) spare++;
  bucket.splice(spare, 1);
}
