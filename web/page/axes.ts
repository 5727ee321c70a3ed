/// <reference lib="dom" />
import type { Surface } from "./canvas.ts";

/** A range of values. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** The rectangle onto which two axes map values, in CSS pixels. */
export interface Plot {
  x(value: number): number;
  y(value: number): number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const margin = { left: 40, right: 8, top: 6, bottom: 20 };

/** About `count` round values within a range. */
export function ticks({ low, high }: Range, count: number): number[] {
  const rough = (high - low) / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((candidate) => candidate >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** The range of some values with a little room; `fallback` if there is none. */
export function rangeOf(values: Iterable<number>, fallback: Range): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return fallback;
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 0.5;
  return { low: low - room, high: high + room };
}

/** Draws the axes of a chart; without `y` only the lower one. */
export function drawAxes(surface: Surface, x: Range, y: Range, { yAxis = true } = {}): Plot {
  const { context, width, height } = surface;
  const [left, right] = [yAxis ? margin.left : 8, width - margin.right];
  const [top, bottom] = [margin.top, height - margin.bottom];
  const plot: Plot = {
    x: (value) => left + (value - x.low) / (x.high - x.low) * (right - left),
    y: (value) => bottom - (value - y.low) / (y.high - y.low) * (bottom - top),
    left,
    right,
    top,
    bottom,
  };
  context.font = fontOf(surface.canvas);
  context.fillStyle = surface.colour("--muted");
  context.strokeStyle = surface.colour("--line");
  context.lineWidth = 1;
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  for (const tick of ticks(x, Math.max(2, width / 90))) {
    context.fillText(label(tick), Math.min(plot.x(tick), right - 6), height - 5);
  }
  context.beginPath();
  if (yAxis) {
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of ticks(y, Math.max(2, height / 48))) {
      context.fillText(label(tick), left - 7, plot.y(tick));
      context.moveTo(left, plot.y(tick));
      context.lineTo(right, plot.y(tick));
    }
  }
  context.moveTo(left, bottom);
  context.lineTo(right, bottom);
  context.stroke();
  return plot;
}

/** Writes a canvas's description where a chart has nothing to show. */
export function drawNote(surface: Surface): void {
  const { context, canvas, width, height } = surface;
  context.font = fontOf(canvas);
  context.fillStyle = surface.colour("--muted");
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(canvas.ariaLabel ?? "", width / 2, height / 2, width);
}

function fontOf(canvas: HTMLCanvasElement): string {
  return `12px ${getComputedStyle(canvas).fontFamily}`;
}

function label(value: number): string {
  return String(Number(value.toPrecision(6))).replace("-", "−");
}
