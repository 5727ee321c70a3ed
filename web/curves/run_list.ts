/// <reference lib="dom" />
/** The list of runs, in which the user chooses those to show. */

import { judged } from "../../src/train/run/run_state.ts";
import { make } from "../page/elements.ts";
import type { FollowedRun } from "./followed_run.ts";
import { progressOf, shareOf, warningsOf } from "./run_text.ts";
import { colourOf } from "./view.ts";

/** A run's entry. */
interface Entry {
  readonly element: HTMLElement;
  update(): void;
}

/** Keeps an entry for each run. */
export class RunList {
  readonly #host: HTMLElement;
  readonly #onChoice: (run: FollowedRun, isShown: boolean) => void;
  readonly #entries = new Map<FollowedRun, Entry>();

  /** @param onChoice called when the user shows a run or hides it */
  constructor(host: HTMLElement, onChoice: (run: FollowedRun, isShown: boolean) => void) {
    this.#host = host;
    this.#onChoice = onChoice;
  }

  /** Shows these runs in their order. */
  update(runs: readonly FollowedRun[]): void {
    for (const [run, { element }] of this.#entries) {
      if (runs.includes(run)) continue;
      element.remove();
      this.#entries.delete(run);
    }
    runs.forEach((run, i) => {
      const entry = this.#entries.get(run) ?? this.#add(run);
      if (this.#host.children[i] !== entry.element) {
        this.#host.insertBefore(entry.element, this.#host.children[i] ?? null);
      }
      entry.update();
    });
  }

  #add(run: FollowedRun): Entry {
    const box = make("input", { type: "checkbox" });
    const swatch = make("i", { className: "swatch" });
    const label = make("span", { className: "label" });
    const progress = make("span", { className: "progress" });
    const bar = make("progress", { max: 1, ariaLabel: "share that is done" });
    const warnings = make("div", { className: "warnings" });
    const element = make(
      "li",
      {},
      make("label", {}, box, swatch, make("span", { className: "name" }, run.name), label),
      progress,
      bar,
      warnings,
    );
    box.addEventListener("change", () => this.#onChoice(run, box.checked));
    const entry: Entry = {
      element,
      update() {
        const isShown = run.slot !== undefined;
        box.checked = isShown;
        swatch.style.background = isShown ? `var(${colourOf(run)})` : "";
        const state = isShown ? judged(run.listed.state, run.reader.sign) : run.listed.state;
        label.className = `label ${state}`;
        setText(label, state);
        setText(progress, isShown ? progressOf(run) : run.listed.about);
        const share = isShown ? shareOf(run) : undefined;
        bar.hidden = share === undefined;
        bar.value = share ?? 0;
        const texts = isShown ? warningsOf(run) : [];
        if (warnings.textContent !== texts.join("")) {
          warnings.replaceChildren(...texts.map((text) => make("p", {}, text)));
        }
      },
    };
    this.#entries.set(run, entry);
    return entry;
  }
}

/** Changes a text only if it differs, so that screen readers do not repeat an unchanged one. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
