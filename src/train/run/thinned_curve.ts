/** A point of a curve: where it lies in training, and its value. */
export interface CurvePoint {
  readonly iteration: number;
  /** Since the run's start; NaN where the run did not note it. */
  readonly seconds: number;
  /** NaN where the iteration had no finite value. */
  readonly value: number;
}

/** Points that a bucket keeps at most: the first, the last, the lowest and the highest. */
const keptOfBucket = 4;

/**
 * A curve in bounded memory. Neighbouring iterations share a bucket, of which the first, the last, the lowest and the highest
 * point stay, so that no spike is lost and both ends are exact. As long as iterations are few, each has a bucket of its own;
 * whenever the buckets become too many, two and two become one.
 */
export class ThinnedCurve {
  readonly #mostBuckets: number;
  /** Of each the points that are kept, by iteration. */
  readonly #buckets = new Map<number, CurvePoint[]>();
  /** Iterations that share a bucket. */
  #width = 1;

  /** @param mostBuckets the curve keeps at most four times as many points */
  constructor(mostBuckets = 1024) {
    this.#mostBuckets = mostBuckets;
  }

  /** Points that are kept. */
  get count(): number {
    return this.#buckets.values().reduce((sum, points) => sum + points.length, 0);
  }

  /** Adds a point; it takes the place of an earlier one of the same iteration. */
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
 * What stays of points that share a bucket, by iteration. A point without a value stays only if there is no other: it shows a
 * gap.
 */
function kept(points: readonly CurvePoint[]): CurvePoint[] {
  const [first, ...others] = points.toSorted((a, b) => a.iteration - b.iteration);
  const bucket = [first!];
  for (const point of others) append(bucket, point);
  return bucket;
}

/** Adds a later point to a bucket, and takes one away that need not be kept. */
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
