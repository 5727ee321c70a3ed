/// <reference lib="dom" />

const forcedColours = "(forced-colors: active)";

/** A canvas that is drawn at the screen's resolution, and again when its size or the colours change. */
export class Surface {
  readonly canvas: HTMLCanvasElement;
  readonly #draw: (surface: Surface) => void;

  /** @param draw draws the whole canvas; not called while it is hidden */
  constructor(canvas: HTMLCanvasElement, draw: (surface: Surface) => void) {
    this.canvas = canvas;
    this.#draw = draw;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    for (const query of ["(prefers-color-scheme: dark)", forcedColours]) {
      matchMedia(query).addEventListener("change", () => this.redraw());
    }
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

  /** Dashes of a line in a given colour, because two of the system's colours can look alike. */
  dashes(name: string): number[] {
    return name === "--two" && matchMedia(forcedColours).matches ? [4, 3] : [];
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

  /** A colour of the style sheet, by its custom property: `rgb(31, 95, 191)`, even if it is one of the system's. */
  colour(name: string): string {
    this.canvas.style.color = `var(${name})`;
    return getComputedStyle(this.canvas).color;
  }
}

/** Red, green and blue of a colour such as `rgb(31, 95, 191)`, 0 to 255. */
export function channelsOf(colour: string): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = colour.match(/\d+/g)?.map(Number) ?? [];
  return [red, green, blue];
}
