/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC 2011), and streams on it.
 * `shaders/random/philox.wgsl` computes the same numbers on the GPU.
 */

/** Four or two 32-bit words. */
type Words = readonly number[];

const [multiplier0, multiplier1] = [0xd2511f53, 0xcd9e8d57];
const [weyl0, weyl1] = [0x9e3779b9, 0xbb67ae85];
const rounds = 10;

/** The bijection: four words of counter and two of key give four random words. */
export function philox4x32(counter: Words, key: Words): [number, number, number, number] {
  let [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter;
  let [k0 = 0, k1 = 0] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0);
    const low0 = Math.imul(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2);
    const low1 = Math.imul(multiplier1, c2);
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** The upper 32 bits of the product of two unsigned 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + Math.floor(aLow * bLow / 0x10000);
  const cross = aLow * bHigh + middle % 0x10000;
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000);
}

/** What random numbers are for. It keeps users with the same seed and step apart. */
export const Purpose = {
  initialisation: 1,
  split: 2,
  likelihoodOrder: 3,
  labelledOrder: 4,
  likelihoodCrop: 5,
  labelledCrop: 6,
  replayDraw: 7,
  informativeWeights: 8,
  informativeNoise: 9,
  uniformStart: 10,
  sgldNoise: 11,
  inputNoise: 12,
  sampling: 13,
  dropout: 14,
  subset: 15,
  noiseImages: 16,
  attackStart: 17,
  purification: 18,
  direction: 19,
  draw: 20,
  recovery: 21,
  bootstrap: 22,
} as const;

/**
 * Random numbers addressed by (seed, purpose, step, index): value i is word i mod 4 of the block with counter
 * (⌊i/4⌋, step, purpose, 0) and key (seed mod 2^32, ⌊seed/2^32⌋).
 */
export class RandomStream {
  readonly #key: Words;
  readonly #purpose: number;
  readonly #step: number;
  #block = -1;
  #words: Words = [];

  /** @param seed a safe integer of at least 0; `step` counts iterations, epochs or the like, below 2^32 */
  constructor(seed: number, purpose: number, step: number) {
    this.#key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
    this.#purpose = purpose;
    this.#step = step;
  }

  /** 32 random bits. */
  bits(index: number): number {
    const block = Math.floor(index / 4);
    if (block !== this.#block) {
      this.#words = philox4x32([block, this.#step, this.#purpose, 0], this.#key);
      this.#block = block;
    }
    return this.#words[index % 4]!;
  }

  /** Uniform in [0, 1), a multiple of 2^-24. */
  uniform(index: number): number {
    return (this.bits(index) >>> 8) * 2 ** -24;
  }

  /** Uniform among 0 … bound − 1; off by at most bound / 2^32. */
  integer(index: number, bound: number): number {
    return Math.floor(this.bits(index) * bound / 2 ** 32);
  }

  /**
   * Standard normal (Box and Muller, 1958): values 2j and 2j + 1 are √(−2 ln u)·cos 2πv and √(−2 ln u)·sin 2πv with
   * u = 1 − uniform(2j), which is never 0, and v = uniform(2j + 1).
   */
  normal(index: number): number {
    const first = index - index % 2;
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(first)));
    const angle = 2 * Math.PI * this.uniform(first + 1);
    return radius * (index === first ? Math.cos(angle) : Math.sin(angle));
  }
}

/**
 * Calls of a GPU stream that each shard of a job may use. An iteration needs one for each use of dropout: at most 664
 * blocks in 10,006 passes, 6,643,984 in all.
 */
const callsOfShard = 2 ** 23;
/** Most shards that have calls of their own. */
export const mostShards: number = 2 ** 32 / callsOfShard;

/**
 * The words that name a random stream on the GPU: seed (low, high), step, first call.
 * @param shard number of the shard, below {@link mostShards}, in a job that draws several streams in a step
 */
export function streamWords(seed: number, step: number, shard = 0): Uint32Array {
  return Uint32Array.of(seed % 2 ** 32, Math.floor(seed / 2 ** 32), step, shard * callsOfShard);
}

/** A uniformly random order of 0 … count − 1 (Fisher and Yates). */
export function permutation(stream: RandomStream, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = stream.integer(count - 1 - i, i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
