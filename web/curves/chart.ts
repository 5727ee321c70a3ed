/// <reference lib="dom" />
/** One chart of lines, drawn by uPlot. Hover or arrow keys show values, dragging zooms in, Escape zooms out. */

import uPlot from "uplot";
import { make } from "../page/elements.ts";
import { type Axis, type LinePoints, nearest, positive, type Scale, spacing } from "./line.ts";
import { countText, tickText, timeText, valueText } from "./numbers.ts";

/** A line of a chart. */
export interface Line {
  /** Its name, for the values at the cursor. */
  readonly label: string;
  /** Custom property with its colour. */
  readonly colour: string;
  readonly style: "solid" | "dashed" | "points";
  /** Whether it is drawn faintly, beside its running mean. */
  readonly isFaint: boolean;
  readonly points: LinePoints;
}

/** Settings of all charts of a page. */
export interface ChartOptions {
  readonly axis: Axis;
  readonly scale: Scale;
}

const height = 220;
/** Share of the width by which an arrow key moves the cursor. */
const keyStep = 0.01;
/** The cursors of all charts move together. */
const syncKey = "curves";
const faintOpacity = "40";

/** A chart with its title. Without lines it is hidden. */
export class Chart {
  readonly element: HTMLElement;
  readonly #plot = make("div", { className: "plot", tabIndex: 0, role: "img" });
  readonly #values = make("div", { className: "values", hidden: true });
  #chart: uPlot | undefined;
  #lines: readonly Line[] = [];
  #options: ChartOptions = { axis: "iteration", scale: "linear" };
  /** What the current chart was made for. */
  #made = "";
  #isHovered = false;

  /** @param caption follows the title */
  constructor(readonly title: string, caption: Node) {
    this.element = make(
      "figure",
      { className: "curve", hidden: true },
      make("figcaption", {}, make("strong", {}, title), caption),
      make("div", { className: "plot-frame" }, this.#plot, this.#values),
    );
    this.#values.ariaLive = "polite";
    this.#plot.addEventListener("keydown", (event) => this.#key(event));
    this.#plot.addEventListener("blur", () => this.#leave());
    for (const [name, isHovered] of [["pointerenter", true], ["pointerleave", false]] as const) {
      this.#plot.addEventListener(name, () => {
        this.#isHovered = isHovered;
        if (!isHovered) this.#values.hidden = true;
      });
    }
    new ResizeObserver(() => this.#resize()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#chart?.redraw());
  }

  /** Shows lines. A zoomed range stays. */
  show(lines: readonly Line[], options: ChartOptions): void {
    const { scale } = options;
    const spaced = spacing(scale, lines.map(({ points }) => points));
    this.#lines = spaced === "log"
      ? lines.map((line) => ({ ...line, points: positive(line.points) }))
      : lines;
    this.#options = options;
    this.element.hidden = lines.length === 0;
    this.#plot.ariaLabel = this.#description();
    if (lines.length === 0) return;
    const shape = JSON.stringify([options, spaced, lines.map(({ points: _, ...style }) => style)]);
    if (shape === this.#made && this.#chart) this.#update(this.#chart);
    else this.#make(spaced);
    this.#made = shape;
  }

  #update(chart: uPlot): void {
    const { min, max } = chart.scales["x"]!;
    const x = chart.data[0];
    const isMagnified = x.length > 0 && (min! > x[0]! || max! < x.at(-1)!);
    chart.setData(this.#data(), !isMagnified);
    if (isMagnified) chart.redraw();
    this.#showValues();
  }

  #make(spaced: ReturnType<typeof spacing>): void {
    this.#chart?.destroy();
    const colour = (name: string) => getComputedStyle(this.element).getPropertyValue(name).trim();
    const axis = {
      stroke: () => colour("--muted"),
      font: `12px ${getComputedStyle(this.element).fontFamily}`,
    };
    const grid = { stroke: () => colour("--line"), width: 1 };
    const { axis: lower } = this.#options;
    this.#chart = new uPlot(
      {
        width: this.#width(),
        height,
        legend: { show: false },
        cursor: {
          sync: { key: syncKey },
          y: false,
          points: { show: false },
          drag: { x: true, y: false },
        },
        scales: {
          x: { time: false },
          y: { distr: ({ linear: 1, log: 3, asinh: 4 } as const)[spaced] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            ticks: grid,
            size: 34,
            space: 76,
            values: (_, splits) =>
              splits.map((value) => lower === "iteration" ? countText(value) : tickText(value)),
            ...(lower === "seconds" && { incrs: timeSteps }),
          },
          {
            ...axis,
            grid,
            ticks: { show: false },
            size: 58,
            values: (_, splits) => splits.map((value) => value === null ? "" : valueText(value)),
          },
        ],
        series: [{}, ...this.#lines.map((line) => seriesOf(line, colour))],
        hooks: { setCursor: [() => this.#showValues()] },
      },
      this.#data(),
      this.#plot,
    );
  }

  #data(): uPlot.AlignedData {
    return uPlot.join(this.#lines.map(({ points: { x, y } }) => [x, y] satisfies uPlot.AlignedData));
  }

  #width(): number {
    return Math.max(200, this.#plot.clientWidth);
  }

  #resize(): void {
    if (this.#chart && this.#chart.width !== this.#width()) {
      this.#chart.setSize({ width: this.#width(), height });
    }
  }

  #key(event: KeyboardEvent): void {
    const chart = this.#chart;
    if (!chart) return;
    const { width } = chart.over.getBoundingClientRect();
    const { left = -1 } = chart.cursor;
    const from = left < 0 ? width : left;
    const step = width * keyStep * (event.shiftKey ? 10 : 1);
    const places: Readonly<Record<string, number>> = {
      ArrowLeft: Math.max(0, from - step),
      ArrowRight: Math.min(width, from + step),
      Home: 0,
      End: width,
    };
    const place = places[event.key];
    if (event.key === "Escape") chart.setData(chart.data);
    else if (place === undefined) return;
    else {
      chart.setCursor({ left: place, top: height / 2 });
      this.#showValues();
    }
    event.preventDefault();
  }

  #leave(): void {
    this.#chart?.setCursor({ left: -10, top: -10 });
    this.#values.hidden = true;
  }

  /** Writes the values at the cursor beside it, if the pointer or the keyboard focus is on this chart. */
  #showValues(): void {
    const chart = this.#chart;
    const { left = -1 } = chart?.cursor ?? {};
    const isMeant = this.#isHovered || document.activeElement === this.#plot;
    this.#values.hidden = !chart || left < 0 || !isMeant;
    if (!chart || this.#values.hidden) return;
    const place = chart.posToVal(left, "x");
    const rows = this.#lines.filter(({ isFaint }) => !isFaint).flatMap((line) => {
      const at = nearest(line.points, place);
      const value = at === undefined ? undefined : line.points.y[at];
      if (value === undefined || value === null) return [];
      const swatch = make("i", { className: line.style });
      swatch.style.color = `var(${line.colour})`;
      return [make("div", {}, swatch, make("span", {}, line.label), make("b", {}, valueText(value)))];
    });
    const { axis } = this.#options;
    const head = axis === "iteration" ? `iteration ${countText(Math.round(place))}` : timeText(place);
    this.#values.replaceChildren(make("div", { className: "place" }, head), ...rows);
    const edge = this.#plot.clientWidth / 2;
    const x = chart.over.offsetLeft + left;
    this.#values.style.left = x < edge ? `${x + 12}px` : "";
    this.#values.style.right = x < edge ? "" : `${this.#plot.clientWidth - x + 12}px`;
  }

  #description(): string {
    const lines = this.#lines.filter(({ isFaint }) => !isFaint).map(({ label, points: { y } }) => {
      const last = y.findLast((value) => value !== null);
      return last === undefined || last === null ? label : `${label}: ${valueText(last)} at the end`;
    });
    return `${this.title}; ${lines.join("; ")}. Arrow keys show values.`;
  }
}

const [minute, hour, day] = [60, 3600, 86400];

/** Distances between two ticks, in seconds. */
const timeSteps = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
  ...[1, 2, 5, 10, 20, 30].map((minutes) => minutes * minute),
  ...[1, 2, 4, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 4, 8, 16, 32, 64, 128].map((days) => days * day),
];

function seriesOf(
  { label, colour: name, style, isFaint }: Line,
  colour: (name: string) => string,
): uPlot.Series {
  return {
    label,
    stroke: () => colour(name) + (isFaint ? faintOpacity : ""),
    width: isFaint ? 1 : 1.6,
    ...(style === "dashed" && { dash: [6, 4] }),
    points: style === "points" ? { show: true, size: 6, fill: () => colour(name) } : { show: false },
  };
}
