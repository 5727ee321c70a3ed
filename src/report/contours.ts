// @ts-types="@types/d3-contour"
import { contours } from "d3-contour";
import type { PlotSpec } from "./plot.ts";

const side = 280;
const levels = 12;

/**
 * Contours of positive values on a square grid of coordinates: filled areas between levels of equal ratios, with a
 * cross at the origin.
 * @param values rows of values; the first row belongs to the first coordinate of the second direction
 */
export function contourPlot(
  coordinates: readonly number[],
  values: readonly (readonly number[])[],
  { first, second, value }: { readonly first: string; readonly second: string; readonly value: string },
): PlotSpec {
  const axis = (field: string, title: string) => ({
    field,
    type: "quantitative" as const,
    title,
    axis: { grid: false },
    scale: { domain: [coordinates[0]!, coordinates.at(-1)!], nice: false },
  });
  return {
    width: side,
    height: side,
    layer: [
      {
        data: { values: areas(coordinates.length, values.flat()) },
        projection: { type: "identity", scale: 1, translate: [0, 0] },
        mark: { type: "geoshape", stroke: "white", strokeWidth: 0.6 },
        encoding: {
          color: {
            field: "level",
            type: "quantitative",
            title: value,
            scale: { type: "log", scheme: "viridis", nice: false },
            legend: { gradientLength: side - 40, format: ".2~g", tickCount: 5 },
          },
        },
      },
      {
        data: { values: [{ x: 0, y: 0 }] },
        mark: { type: "point", shape: "cross", size: 90, filled: true, color: "white", opacity: 1 },
        encoding: { x: axis("x", first), y: axis("y", second) },
      },
    ],
  };
}

/** The area above each level as a shape in the plot's pixels, the lowest level first. */
function areas(extent: number, values: readonly number[]) {
  const finite = values.map((value) => Number.isFinite(value) ? Math.max(value, 1e-6) : 1e6);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const thresholds = Array.from({ length: levels }, (_, k) => low * (high / low) ** (k / levels));
  // Grid points are at half-integers; the outermost half cell is cut off.
  const pixel = (place: number) => Math.min(side, Math.max(0, (place - 0.5) / (extent - 1) * side));
  return contours().size([extent, extent]).thresholds(thresholds)(finite).map((shape) => ({
    type: "Feature",
    level: shape.value,
    geometry: {
      type: "MultiPolygon",
      coordinates: shape.coordinates.map((polygon) =>
        polygon.map((ring) => ring.map(([x = 0, y = 0]) => [pixel(x), side - pixel(y)]))
      ),
    },
  }));
}
