/// <reference lib="dom" />
import { channelsOf, Surface } from "./canvas.ts";

/** Images as a model takes them. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Images in a square grid, magnified without smoothing; grey ones as ink on paper, whatever the colour scheme. */
export class Tiles {
  readonly #surface: Surface;
  #shown: { readonly images: Float32Array; readonly size: ImageSize } | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#surface = new Surface(canvas, () => this.#draw());
  }

  /** @param images `[N, H, W, C]` in [−1, 1] */
  show(images: Float32Array, size: ImageSize): void {
    this.#shown = { images, size };
    this.#surface.redraw();
  }

  clear(): void {
    this.#shown = undefined;
    this.#surface.redraw();
  }

  #draw(): void {
    if (!this.#shown) return;
    const { images, size: { height, width, channels } } = this.#shown;
    const count = images.length / (height * width * channels);
    const columns = Math.ceil(Math.sqrt(count));
    const gap = count > 1 ? 1 : 0;
    const cell = (this.#surface.width - gap * (columns + 1)) / columns;
    const { context } = this.#surface;
    context.fillStyle = this.#surface.colour("--line");
    context.fillRect(0, 0, this.#surface.width, this.#surface.width);
    context.imageSmoothingEnabled = false;
    const atlas = this.#atlas(images, count, this.#shown.size);
    for (let i = 0; i < count; i++) {
      const x = gap + i % columns * (cell + gap);
      const y = gap + Math.floor(i / columns) * (cell + gap);
      context.drawImage(atlas, 0, i * height, width, height, x, y, cell, cell);
    }
  }

  /** All images below each other, one pixel for each pixel. */
  #atlas(images: Float32Array, count: number, { height, width, channels }: ImageSize): OffscreenCanvas {
    const paper = channelsOf(this.#surface.colour("--surface"));
    const ink = channelsOf(this.#surface.colour("--ink"));
    const canvas = new OffscreenCanvas(width, height * count);
    const data = new ImageData(width, height * count);
    for (let pixel = 0; pixel < width * height * count; pixel++) {
      for (let c = 0; c < 3; c++) {
        const value = (images[pixel * channels + (channels === 3 ? c : 0)]! + 1) / 2;
        data.data[4 * pixel + c] = channels === 3 ? value * 255 : paper[c]! + value * (ink[c]! - paper[c]!);
      }
      data.data[4 * pixel + 3] = 255;
    }
    canvas.getContext("2d")!.putImageData(data, 0, 0);
    return canvas;
  }
}
