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
  readonly #buckets = new Map<number, readonly CurvePoint[]>();
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
    const others = this.#buckets.get(key)?.filter(({ iteration }) => iteration !== point.iteration) ?? [];
    this.#buckets.set(key, kept([...others, point]));
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

/** What stays of a bucket's points, by iteration. A point without a value stays only if there is no other: it shows a gap. */
function kept(points: readonly CurvePoint[]): readonly CurvePoint[] {
  const sorted = points.toSorted((a, b) => a.iteration - b.iteration);
  const known = sorted.filter(({ value }) => !Number.isNaN(value));
  if (known.length === 0) return sorted.slice(0, 1);
  if (known.length <= keptOfBucket) return known;
  const lowest = known.reduce((least, point) => point.value < least.value ? point : least);
  const highest = known.reduce((most, point) => point.value > most.value ? point : most);
  return known.filter((point, i) => {
    return i === 0 || i === known.length - 1 || point === lowest || point === highest;
  });
}
