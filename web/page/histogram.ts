/// <reference lib="dom" />
import { drawAxes, drawNote } from "./axes.ts";
import { Surface } from "./canvas.ts";

const bins = 48;

/** What a histogram shows. */
export interface HistogramContent {
  /** Ascending. */
  readonly values: Float32Array;
  readonly threshold: number;
  /** The value of the image that is shown; NaN for none. */
  readonly marked: number;
}

/** How often values occur, with a threshold and a marker for one value. */
export class Histogram {
  readonly #surface: Surface;
  #content: HistogramContent | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#surface = new Surface(canvas, () => this.#draw());
  }

  show(content: HistogramContent | undefined, description: string): void {
    this.#content = content;
    this.#surface.canvas.ariaLabel = description;
    this.#surface.redraw();
  }

  #draw(): void {
    if (!this.#content) return drawNote(this.#surface);
    const { values, threshold, marked } = this.#content;
    const seen = Number.isNaN(marked) ? values[0]! : marked;
    const low = Math.min(values[0]!, seen);
    const high = Math.max(values.at(-1)!, seen);
    const room = (high - low) * 0.04;
    const range = { low: low - room, high: high + room };
    const counts = new Uint32Array(bins);
    const binWidth = (range.high - range.low) / bins;
    for (const value of values) counts[Math.floor((value - range.low) / binWidth)]!++;
    const plot = drawAxes(this.#surface, range, { low: 0, high: Math.max(...counts) }, { yAxis: false });
    const { context } = this.#surface;
    context.fillStyle = this.#surface.colour("--bar");
    counts.forEach((count, i) => {
      const x = plot.x(range.low + i * binWidth);
      context.fillRect(
        x,
        plot.y(count),
        plot.x(range.low + (i + 1) * binWidth) - x - 1,
        plot.bottom - plot.y(count),
      );
    });
    this.#mark(plot.x(threshold), plot.top, plot.bottom, "--two", [4, 3]);
    if (!Number.isNaN(marked)) this.#mark(plot.x(marked), plot.top, plot.bottom, "--one", []);
  }

  #mark(x: number, top: number, bottom: number, colour: string, dash: number[]): void {
    const { context } = this.#surface;
    context.strokeStyle = this.#surface.colour(colour);
    context.lineWidth = 2;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.stroke();
    context.setLineDash([]);
  }
}
