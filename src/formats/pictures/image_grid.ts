import { ShapeError } from "../../errors.ts";
import type { ByteImage } from "./png.ts";

/** Sizes of a batch of images `[count, height, width, channels]`. */
export interface ImagesShape {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** How an {@link ImageGrid} lays out images; integers. */
export interface GridOptions {
  /** Images in a row; by default the grid is about square. */
  readonly columns?: number;
  /** Pixels along each side of an image's pixel; by default the fewest that make both sides at least 32 pixels long. */
  readonly scale?: number;
  /** Mid-grey pixels between images and around the grid, 2 by default. */
  readonly gap?: number;
}

const smallestCell = 32;
const midGrey = 128;

/**
 * A batch of images as one picture, row by row, enlarged without smoothing.
 * @param images Values in [−1, 1], shape `[count, height, width, channels]`; values outside are clamped.
 * @throws {ShapeError} if the images do not have the given shape, or have not 1 or 3 channels.
 */
export function imageGrid(
  images: Float32Array,
  { count, height, width, channels }: ImagesShape,
  options: GridOptions = {},
): ByteImage {
  if (count === 0 || images.length !== count * height * width * channels) {
    throw new ShapeError(`${images.length} values for images of shape [${[count, height, width, channels]}]`);
  }
  const grid = new ImageGrid({ count, height, width, channels }, options);
  grid.paint(images);
  return grid.picture;
}

/** A picture of images that arrive bit by bit: grey where none has been painted yet. */
export class ImageGrid {
  readonly picture: ByteImage;
  readonly #shape: ImagesShape;
  readonly #columns: number;
  readonly #scale: number;
  readonly #gap: number;

  /** @throws {ShapeError} if the images have not 1 or 3 channels. */
  constructor(shape: ImagesShape, options: GridOptions = {}) {
    const { count, height, width, channels } = this.#shape = shape;
    if (channels !== 1 && channels !== 3) {
      throw new ShapeError(`an image grid takes 1 or 3 channels, not ${channels}`);
    }
    const columns = this.#columns = options.columns ?? Math.ceil(Math.sqrt(count));
    const scale = this.#scale = options.scale ?? Math.ceil(smallestCell / Math.min(height, width));
    const gap = this.#gap = options.gap ?? 2;
    const rows = Math.ceil(count / columns);
    const gridWidth = columns * (width * scale + gap) + gap;
    const gridHeight = rows * (height * scale + gap) + gap;
    const data = new Uint8Array(gridWidth * gridHeight * channels).fill(midGrey);
    this.picture = { width: gridWidth, height: gridHeight, channels, data };
  }

  /**
   * Paints images into places from `first` on.
   * @param images values in [−1, 1], `[n, height, width, channels]`; values outside are clamped
   * @throws {ShapeError} if they are not a whole number of images, or more than there are places for.
   */
  paint(images: Float32Array, first = 0): void {
    const { height, width, channels, count } = this.#shape;
    const painted = images.length / (height * width * channels);
    if (!Number.isInteger(painted) || first + painted > count) {
      throw new ShapeError(`${images.length} values from image ${first} on, in a grid of ${count} images`);
    }
    for (let image = 0; image < painted; image++) this.#paintOne(images, image, first + image);
  }

  #paintOne(images: Float32Array, image: number, place: number): void {
    const { height, width, channels } = this.#shape;
    const [columns, scale, gap] = [this.#columns, this.#scale, this.#gap];
    const { data, width: gridWidth } = this.picture;
    const left = gap + (place % columns) * (width * scale + gap);
    const top = gap + Math.floor(place / columns) * (height * scale + gap);
    for (let y = 0; y < height * scale; y++) {
      const row = (image * height + Math.floor(y / scale)) * width;
      for (let x = 0; x < width * scale; x++) {
        const from = (row + Math.floor(x / scale)) * channels;
        const to = ((top + y) * gridWidth + left + x) * channels;
        for (let c = 0; c < channels; c++) data[to + c] = toByte(images[from + c]!);
      }
    }
  }
}

/**
 * A value as pictures show it: −1 becomes 0 and 1 becomes 255; values outside are clamped. NaN stays NaN, which a byte
 * array takes as 0.
 */
export function toByte(value: number): number {
  return Math.round((Math.min(1, Math.max(-1, value)) + 1) * 127.5);
}
