/** The report's figures, each drawn from the numbers that it shows. */

import type { Calibration } from "../evaluate/calibration.ts";
import type { PlotSpec } from "./plot.ts";

/** One of several marks on the same axes. */
type LayerSpec = Extract<PlotSpec, { layer: unknown }>["layer"][number];

const size = { width: 300, height: 220 } as const;

/** Accuracy over confidence, bin by bin with 95 % intervals, beside the diagonal of perfect calibration. */
export function reliabilityDiagram({ bins }: Calibration): PlotSpec {
  const values = bins.map(({ count, accuracy, interval: [low, high], confidence }, i) => ({
    left: i / bins.length,
    right: (i + 1) / bins.length,
    accuracy,
    low,
    high,
    confidence,
    count,
  })).filter(({ count }) => count > 0);
  return {
    ...size,
    data: { values },
    layer: [
      {
        mark: { type: "bar", opacity: 0.75, color: "#0072b2" },
        encoding: {
          x: {
            field: "left",
            type: "quantitative",
            title: "confidence",
            scale: { domain: [0, 1] },
            bin: "binned",
          },
          x2: { field: "right" },
          y: { field: "accuracy", type: "quantitative", title: "accuracy", scale: { domain: [0, 1] } },
        },
      },
      {
        mark: { type: "rule", color: "#d55e00" },
        encoding: {
          x: { field: "confidence", type: "quantitative" },
          y: { field: "low", type: "quantitative" },
          y2: { field: "high" },
        },
      },
      {
        mark: { type: "point", filled: true, color: "#d55e00", opacity: 1 },
        encoding: {
          x: { field: "confidence", type: "quantitative" },
          y: { field: "accuracy", type: "quantitative" },
          size: { field: "count", type: "quantitative", title: "images", scale: { range: [20, 200] } },
        },
      },
      {
        data: { values: [{ x: 0, y: 0 }, { x: 1, y: 1 }] },
        mark: { type: "line", strokeDash: [4, 4], color: "#888888" },
        encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" } },
      },
    ],
  };
}

/** Images of each class (rows) by the class assigned to them (columns). */
export function confusionFigure(
  matrix: readonly (readonly number[])[],
  classNames: readonly string[],
): PlotSpec {
  const values = matrix.flatMap((row, label) =>
    row.map((count, prediction) => ({
      label: classNames[label]!,
      prediction: classNames[prediction]!,
      count,
      share: count / Math.max(1, row.reduce((sum, value) => sum + value, 0)),
    }))
  );
  const side = Math.max(220, Math.min(600, 28 * classNames.length));
  const labelAngle = classNames.every((name) => name.length <= 3) ? 0 : -45;
  const axis = (field: string, title: string, angle: number) => ({
    field,
    type: "nominal" as const,
    title,
    sort: null,
    // Cells without images are not drawn, but the classes keep their order.
    scale: { domain: [...classNames] },
    axis: { grid: false, labelAngle: angle },
  });
  const axes = { x: axis("prediction", "taken for", labelAngle), y: axis("label", "class", 0) };
  const counts: LayerSpec = {
    mark: { type: "text", fontSize: 10 },
    transform: [{ filter: "datum.count > 0" }],
    encoding: {
      ...axes,
      text: { field: "count", type: "quantitative" },
      color: { condition: { test: "datum.share > 0.5", value: "white" }, value: "#333333" },
    },
  };
  return {
    width: side,
    height: side,
    data: { values },
    layer: [
      {
        mark: "rect",
        transform: [{ filter: "datum.count > 0" }],
        encoding: {
          ...axes,
          color: {
            field: "share",
            type: "quantitative",
            title: "share of class",
            scale: { range: ["#d3e3f1", "#0072b2"], domain: [0, 1] },
          },
        },
      },
      ...(classNames.length > 20 ? [] : [counts]),
    ],
  };
}

/** The look of a line: its colour, and the lengths of its strokes and gaps in pixels. */
export interface LineStyle {
  readonly colour: string;
  readonly dash: readonly number[];
}

/**
 * One curve, or several by their names.
 * @param style the look of each, if not simply a colour of its own
 */
export function curves(
  series: Readonly<Record<string, readonly (readonly [number, number])[]>>,
  { x, y, yDomain, points = false, style }: {
    readonly x: string;
    readonly y: string;
    readonly yDomain?: readonly [number, number];
    readonly points?: boolean;
    readonly style?: (name: string) => LineStyle;
  },
): PlotSpec {
  const values = Object.entries(series).flatMap(([name, all]) =>
    all.map(([at, value]) => ({ name, at, value }))
  );
  const names = Object.keys(series);
  const byName = { field: "name", type: "nominal" as const, title: null, sort: null };
  const styles = style && names.map(style);
  const looks = styles && {
    color: { ...byName, scale: { domain: names, range: styles.map(({ colour }) => colour) } },
    strokeDash: { ...byName, scale: { domain: names, range: styles.map(({ dash }) => [...dash]) } },
  };
  const several = names.length > 1 && { color: byName };
  return {
    ...size,
    width: 380,
    data: { values },
    mark: { type: "line", point: points, interpolate: "linear" },
    encoding: {
      x: { field: "at", type: "quantitative", title: x, scale: { zero: false } },
      y: {
        field: "value",
        type: "quantitative",
        title: y,
        scale: yDomain ? { domain: [...yDomain] } : { zero: false },
      },
      ...(looks ?? several),
    },
  };
}

/** Bars of a histogram of several sets of values over common bins, as shares of each set. */
export function histograms(
  sets: Readonly<Record<string, ArrayLike<number>>>,
  x: string,
  bins = 30,
): PlotSpec {
  const all = Object.values(sets).flatMap((values) => Array.from(values)).sort((a, b) => a - b);
  // Single values far out would squeeze the others.
  const low = all[Math.floor(0.002 * all.length)]!;
  const high = all[Math.ceil(0.998 * all.length) - 1]!;
  const width = (high - low) / bins || 1;
  const values = Object.entries(sets).flatMap(([name, scores]) => {
    const counts = new Array<number>(bins).fill(0);
    for (const score of Array.from(scores)) {
      counts[Math.min(bins - 1, Math.max(0, Math.floor((score - low) / width)))]!++;
    }
    return counts.map((count, i) => ({ name, at: low + (i + 0.5) * width, share: count / scores.length }));
  });
  return {
    ...size,
    width: 420,
    data: { values },
    mark: { type: "area", interpolate: "step", opacity: 0.2, line: true },
    encoding: {
      x: { field: "at", type: "quantitative", title: x, scale: { zero: false } },
      y: { field: "share", type: "quantitative", title: "share of images", stack: null },
      color: { field: "name", type: "nominal", title: null, sort: null, legend: { symbolOpacity: 1 } },
    },
  };
}
