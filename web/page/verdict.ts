/// <reference lib="dom" />
import type { Assessment, ModelSummary } from "../worker/calls.ts";
import { element, make } from "./elements.ts";
import { Histogram } from "./histogram.ts";
import { isColour } from "./model.ts";

/** Most classes with a bar. If there are more, the likeliest are shown. */
const mostBars = 10;

/** The model's verdict on an image: classes, log p̃(x), and whether it is of the model's own kind. */
export class Verdict {
  readonly #bars = element("probabilities", HTMLElement);
  readonly #figure = element("density-figure", HTMLElement);
  readonly #histogram = new Histogram(element("density-chart", HTMLCanvasElement));
  readonly #text = element("verdict", HTMLElement);

  /** Shows that there is no image yet. */
  start(model: ModelSummary): void {
    const zeros = new Float32Array(model.classNames.length);
    this.#showBars(zeros, model);
    this.#showDensity(NaN, model);
    this.#figure.hidden = !model.reference;
    this.#text.textContent = isColour(model)
      ? "Open a picture to see its class and its energy."
      : "Draw something to see where it lies.";
  }

  show({ probabilities, logDensity }: Assessment, model: ModelSummary): void {
    this.#showBars(probabilities, model);
    this.#showDensity(logDensity, model);
    const { reference } = model;
    const figures = `log p̃(x) = ${figure(logDensity)}, E(x) = ${figure(-logDensity)}`;
    if (!reference) {
      this.#text.replaceChildren(
        `${figures}. The page has no training images of this model, hence no threshold.`,
      );
      return;
    }
    const inside = logDensity >= reference.threshold;
    this.#text.replaceChildren(
      make("strong", {}, inside ? "In distribution." : "Out of distribution."),
      ` ${figures}, ${inside ? "above" : "below"} ${figure(reference.threshold)}: ${
        percent(reference.quantile)
      } of the ${reference.densities.length.toLocaleString("en")} training images lie lower, and ${
        percent(reference.testShare)
      } of the test images.`,
    );
  }

  #showBars(probabilities: Float32Array, { classNames }: ModelSummary): void {
    const order = classNames.map((_, i) => i);
    const shown = classNames.length <= mostBars
      ? order
      : order.sort((a, b) => probabilities[b]! - probabilities[a]!).slice(0, mostBars);
    this.#bars.replaceChildren(...shown.flatMap((label) => {
      const bar = make("i", {});
      bar.style.setProperty("--share", String(probabilities[label]));
      return [
        make("span", {}, classNames[label]!),
        bar,
        make("span", {}, `${(100 * probabilities[label]!).toFixed(1)} %`),
      ];
    }));
  }

  #showDensity(logDensity: number, { reference }: ModelSummary): void {
    this.#histogram.show(
      reference && { values: reference.densities, threshold: reference.threshold, marked: logDensity },
      reference ? `The threshold is ${figure(reference.threshold)}` : "No training images to compare with",
    );
  }
}

function figure(value: number): string {
  return value.toFixed(2).replace("-", "−");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1).replace(/\.0$/, "")} %`;
}
