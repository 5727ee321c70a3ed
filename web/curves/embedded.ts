/// <reference lib="dom" />
/** Draws the curves of a page. Each element of the class `curves` begins with a script that holds them. */

import { embeddedCurve, type EmbeddedRun } from "../../src/train/run/embedded_run.ts";
import { make } from "../page/elements.ts";
import { colourOf, CurvesView, type ShownRun } from "./view.ts";

/** Draws the page's curves. */
export function drawEmbedded(): void {
  for (const host of document.querySelectorAll<HTMLElement>(".curves:has(> script)")) draw(host);
}

function draw(host: HTMLElement): void {
  const runs: readonly EmbeddedRun[] = JSON.parse(host.querySelector("script")!.textContent!);
  const shown: ShownRun[] = runs.map((run, colour) => ({
    name: run.name,
    colour,
    curve: (name) => embeddedCurve(run, name),
  }));
  host.replaceChildren();
  if (shown.length > 1) host.append(runsKey(shown));
  new CurvesView(host).show(shown);
}

/** The runs with their colours. */
function runsKey(runs: readonly ShownRun[]): HTMLElement {
  const entries = runs.map((run) => {
    const swatch = make("i", { className: "solid" });
    swatch.style.color = `var(${colourOf(run)})`;
    return make("span", { className: "line-key" }, swatch, run.name);
  });
  return make("p", { className: "runs-key" }, ...entries);
}
