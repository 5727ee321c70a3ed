/**
 * The orthonormal discrete cosine transform (DCT-II) of images over their rows, columns and channels. It nearly
 * diagonalises the covariance of natural images, which depends on little but the distance of two pixels.
 */

type ImageShape = readonly [height: number, width: number, channels: number];

/** Wave `k` of `n` values, `[k·n + i]`: √(2/n)·cos(π(2i + 1)k/2n), and √(1/n) for k = 0. */
function cosines(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, place) => {
    const [wave, i] = [Math.floor(place / n), place % n];
    return Math.sqrt((wave === 0 ? 1 : 2) / n) * Math.cos(Math.PI * (2 * i + 1) * wave / (2 * n));
  });
}

/** The transform of images of one shape. */
export class CosineTransform {
  readonly #waves: readonly Float64Array[];

  constructor(readonly shape: ImageShape) {
    this.#waves = shape.map(cosines);
  }

  /** Coefficients `[H, W, C]` of an image `[H, W, C]`. */
  coefficients(image: Float64Array): Float64Array {
    let values = image;
    let stride = 1;
    for (const axis of [2, 1, 0]) {
      values = alongAxis(values, this.shape[axis]!, stride, this.#waves[axis]!);
      stride *= this.shape[axis]!;
    }
    return values;
  }

  /** Writes the image whose only coefficient is `value`, at `index` of `[H, W, C]`, to `target` from `offset` on. */
  writeWave(index: number, value: number, target: Float32Array, offset: number): void {
    const [height, width, channels] = this.shape;
    const [rows, columns, colours] = this.#waves as [Float64Array, Float64Array, Float64Array];
    const c = index % channels;
    const x = Math.floor(index / channels) % width;
    const y = Math.floor(index / channels / width);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const both = value * rows[y * height + row]! * columns[x * width + column]!;
        for (let channel = 0; channel < channels; channel++) {
          target[offset++] = both * colours[c * channels + channel]!;
        }
      }
    }
  }
}

/** The transform of every line of `n` values that lie `stride` apart. */
function alongAxis(values: Float64Array, n: number, stride: number, waves: Float64Array): Float64Array {
  const result = new Float64Array(values.length);
  for (let block = 0; block < values.length; block += n * stride) {
    for (let within = 0; within < stride; within++) {
      const first = block + within;
      for (let wave = 0; wave < n; wave++) {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += waves[wave * n + i]! * values[first + i * stride]!;
        result[first + wave * stride] = sum;
      }
    }
  }
  return result;
}
