/// <reference lib="dom" />

/** A canvas that is drawn at the screen's resolution, and again when its size or the colour scheme changes. */
export class Surface {
  readonly canvas: HTMLCanvasElement;
  readonly #draw: (surface: Surface) => void;

  /** @param draw draws the whole canvas; not called while it is hidden */
  constructor(canvas: HTMLCanvasElement, draw: (surface: Surface) => void) {
    this.canvas = canvas;
    this.#draw = draw;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** What to draw with, in CSS pixels. */
  get context(): CanvasRenderingContext2D {
    return this.canvas.getContext("2d")!;
  }

  get width(): number {
    return this.canvas.clientWidth;
  }

  get height(): number {
    return this.canvas.clientHeight;
  }

  redraw(): void {
    const { canvas, context, width, height } = this;
    if (width === 0 || height === 0) return;
    const ratio = devicePixelRatio;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#draw(this);
  }

  /** A colour of the style sheet, by its custom property. */
  colour(name: string): string {
    return getComputedStyle(this.canvas).getPropertyValue(name).trim();
  }
}

/** Red, green and blue of a colour such as `#1f5fbf`, 0 to 255. */
export function channelsOf(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1, 7), 16);
  return [value >> 16, value >> 8 & 255, value & 255];
}
