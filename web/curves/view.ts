/// <reference lib="dom" />
/** The charts of one or several runs, with their controls. */

import type { CurveName } from "../../src/train/run/metrics_reader.ts";
import type { CurvePoint } from "../../src/train/run/thinned_curve.ts";
import { make } from "../page/elements.ts";
import { Chart, type ChartOptions, type Line } from "./chart.ts";
import { type ChartDescription, charts, type CurveStyle } from "./charts.ts";
import { placed } from "./line.ts";

/** A run whose curves are shown. */
export interface ShownRun {
  readonly name: string;
  /** Index of its {@link colours}; higher numbers wrap around. */
  readonly colour: number;
  /** The points of a curve, by iteration; none if the run has no such curve. */
  curve(name: CurveName): readonly CurvePoint[];
}

/** Colours of runs in the style sheet: `--run-0` and so on. */
export const colours = 8;

/** The custom property with a run's colour. */
export function colourOf({ colour }: Pick<ShownRun, "colour">): string {
  return `--run-${colour % colours}`;
}

/** Share of a run over which the strongest smoothing forgets. */
const mostSmoothing = 0.1;

/** The charts, and above them the choice of axis, scale and smoothing. */
export class CurvesView {
  readonly #charts: readonly {
    readonly description: ChartDescription;
    readonly chart: Chart;
    readonly keys: HTMLElement;
  }[];
  readonly #note = make("p", { className: "note", hidden: true });
  readonly #axis: () => ChartOptions["axis"];
  readonly #scale: () => ChartOptions["scale"];
  readonly #smoothing: HTMLInputElement;
  #runs: readonly ShownRun[] = [];

  /** Puts itself into an empty element. */
  constructor(host: HTMLElement) {
    const again = () => this.show(this.#runs);
    const axis = choice("lower axis", [["iterations", "iteration"], ["time", "seconds"]], again);
    const scale = choice("scale", [["linear", "linear"], ["log", "log"]], again);
    this.#axis = axis.value;
    this.#scale = scale.value;
    this.#smoothing = make("input", { type: "range", min: "0", max: "100", value: "0" });
    this.#smoothing.addEventListener("input", again);
    this.#charts = charts.map((description) => {
      const keys = make("span", { className: "line-keys" });
      const caption = make("span", { className: "caption" }, description.unit, keys);
      return { description, chart: new Chart(description.title, caption), keys };
    });
    host.append(
      make(
        "form",
        { className: "curve-controls" },
        axis.element,
        scale.element,
        make("label", { className: "smoothing" }, make("span", {}, "smoothing"), this.#smoothing),
      ),
      this.#note,
      make("div", { className: "curve-grid" }, ...this.#charts.map(({ chart }) => chart.element)),
    );
  }

  /** Shows the curves of these runs alone. */
  show(runs: readonly ShownRun[]): void {
    this.#runs = runs;
    const options: ChartOptions = { axis: this.#axis(), scale: this.#scale() };
    for (const { description: { curves, ofShares, isExact }, chart, keys } of this.#charts) {
      const lines = curves.map((style) => ({
        style,
        lines: runs.flatMap((run) =>
          this.#lines(run, style, isExact ? 0 : this.#smoothing.valueAsNumber / 100)
        ),
      }));
      chart.show(lines.flatMap(({ lines }) => lines), ofShares ? { ...options, scale: "linear" } : options);
      const drawn = lines.filter(({ lines }) => lines.length > 0).map(({ style }) => style);
      keys.replaceChildren(...curves.length > 1 ? drawn.map(keyOf) : []);
    }
    this.#say(options);
  }

  /**
   * The lines of a run's curve: the curve itself, or the curve faintly below its running mean.
   * @param smoothness 0 to 1
   */
  #lines(run: ShownRun, { curve, label, style }: CurveStyle, smoothness: number): Line[] {
    const axis = this.#axis();
    const all = run.curve(curve);
    if (all.length === 0) return [];
    const named = this.#runs.length > 1 ? `${run.name}, ${label}` : label;
    const line = { label: named, colour: colourOf(run), style, isFaint: false };
    const points = placed(all, axis, 0);
    if (points.x.length === 0) return [];
    const smoothing = style === "points" ? 0 : mostSmoothing * smoothness ** 2 * all.at(-1)!.iteration;
    if (smoothing === 0) return [{ ...line, points }];
    return [{ ...line, isFaint: true, points }, { ...line, points: placed(all, axis, smoothing) }];
  }

  #say({ axis }: ChartOptions): void {
    const untimed = axis === "seconds"
      ? this.#runs.filter((run) => run.curve("loss").every(({ seconds }) => Number.isNaN(seconds)))
      : [];
    this.#note.hidden = untimed.length === 0;
    this.#note.textContent = `Without times in metrics.jsonl, and so not shown over time: ${
      untimed.map(({ name }) => name).join(", ")
    }.`;
  }
}

/** What a kind of line means. */
function keyOf({ label, style }: CurveStyle): HTMLElement {
  return make("span", { className: "line-key" }, make("i", { className: style }), label);
}

let groups = 0;

/** A few alternatives as buttons in a row. The first one is chosen. */
function choice<Value extends string>(
  name: string,
  options: readonly (readonly [label: string, value: Value])[],
  onChange: () => void,
): { readonly element: HTMLElement; readonly value: () => Value } {
  const group = `choice-${groups++}`;
  const inputs = options.map(([, value], i) =>
    make("input", { type: "radio", name: group, value, checked: i === 0 })
  );
  const labels = options.map(([label], i) => make("label", {}, inputs[i]!, make("span", {}, label)));
  const element = make("fieldset", { className: "choice" }, make("legend", {}, name), ...labels);
  element.addEventListener("change", onChange);
  return { element, value: () => options[inputs.findIndex(({ checked }) => checked)]![1] };
}
