/// <reference lib="dom" />
import { drawAxes, drawNote, type Plot, type Range, rangeOf } from "./axes.ts";
import { Surface } from "./canvas.ts";

/** A line through equally spaced points. */
export interface Line {
  readonly values: readonly number[];
  /** Custom property with its colour. */
  readonly colour: string;
  readonly width?: number;
}

/** What a chart shows. */
export interface LineChartContent {
  readonly lines: readonly Line[];
  /** The last value of the lower axis, which starts at 0; by default that of the longest line. */
  readonly last?: number;
  /** Values of the other axis; by default what the lines and the band need. */
  readonly range?: Range;
  /** Values that are shaded. */
  readonly band?: Range | undefined;
}

/**
 * Lines over steps or iterations. Until there is a value to show, a description in words takes the place of the axes.
 */
export class LineChart {
  readonly #surface: Surface;
  #content: LineChartContent | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#surface = new Surface(canvas, () => this.#draw());
  }

  /** @param description says in words what will appear */
  show(content: LineChartContent, description: string): void {
    this.#content = content;
    this.#surface.canvas.ariaLabel = description;
    this.#surface.redraw();
  }

  #draw(): void {
    if (!this.#content) return;
    const { lines, last, range, band } = this.#content;
    if (!band && lines.every(({ values }) => values.length === 0)) return drawNote(this.#surface);
    const length = Math.max(2, ...lines.map(({ values }) => values.length));
    const shown = range ?? rangeOf(values(lines, band), { low: 0, high: 1 });
    const plot = drawAxes(this.#surface, { low: 0, high: last ?? length - 1 }, shown);
    const { context } = this.#surface;
    if (band) {
      context.fillStyle = this.#surface.colour("--band");
      context.fillRect(
        plot.left,
        plot.y(band.high),
        plot.right - plot.left,
        plot.y(band.low) - plot.y(band.high),
      );
    }
    for (const line of lines) this.#drawLine(line, plot);
  }

  #drawLine({ values, colour, width = 1.8 }: Line, plot: Plot): void {
    const { context } = this.#surface;
    context.strokeStyle = context.fillStyle = this.#surface.colour(colour);
    context.lineWidth = width;
    context.lineJoin = "round";
    context.beginPath();
    context.setLineDash(this.#surface.dashes(colour));
    values.forEach((value, i) => context.lineTo(plot.x(i), plot.y(value)));
    context.stroke();
    context.setLineDash([]);
    if (values.length !== 1) return;
    context.beginPath();
    context.arc(plot.x(0), plot.y(values[0]!), 2 * width, 0, 2 * Math.PI);
    context.fill();
  }
}

function* values(lines: readonly Line[], band: Range | undefined): Generator<number> {
  for (const line of lines) yield* line.values;
  if (band) yield* [band.low, band.high];
}
