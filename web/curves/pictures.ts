/// <reference lib="dom" />
/** The replay buffer of a run at the times of its pictures. */

import { make } from "../page/elements.ts";
import type { FollowedRun } from "./followed_run.ts";
import { countText } from "./numbers.ts";

/** Milliseconds between two pictures during playback. */
const playInterval = 250;

/** A picture with a slider through time. At its end it follows the newest picture. */
export class Pictures {
  readonly #figure: HTMLElement;
  readonly #image = make("img", { alt: "" });
  readonly #caption = make("figcaption", {});
  readonly #choice = make("select", { ariaLabel: "run" });
  readonly #slider = make("input", { type: "range", min: "0", step: "1", ariaLabel: "picture" });
  readonly #play = make("button", { type: "button" }, "Play");
  #runs: readonly FollowedRun[] = [];
  #run: FollowedRun | undefined;
  #shown = "";
  #timer: ReturnType<typeof setInterval> | undefined;
  #isNewest = true;

  constructor(figure: HTMLElement) {
    this.#figure = figure;
    figure.append(
      make("h2", {}, "Replay buffer"),
      this.#choice,
      this.#image,
      this.#caption,
      make("div", { className: "picture-controls" }, this.#play, this.#slider),
    );
    this.#choice.addEventListener("change", () => {
      this.#run = this.#runs[this.#choice.selectedIndex];
      this.#isNewest = true;
      this.#draw();
    });
    this.#slider.addEventListener("input", () => {
      this.#stop();
      this.#isNewest = this.#slider.valueAsNumber === Number(this.#slider.max);
      this.#draw();
    });
    this.#play.addEventListener("click", () => this.#timer === undefined ? this.#start() : this.#stop());
  }

  /** Takes the runs that are shown, and their current pictures. */
  update(shown: readonly FollowedRun[]): void {
    const runs = shown.filter(({ listed: { pictures } }) => pictures.length > 0);
    const isSame = runs.length === this.#runs.length && runs.every((run, i) => run === this.#runs[i]);
    if (!isSame) {
      this.#runs = runs;
      if (!this.#run || !runs.includes(this.#run)) this.#run = runs[0];
      this.#choice.replaceChildren(
        ...runs.map((run) => make("option", { selected: run === this.#run }, run.name)),
      );
      this.#choice.hidden = runs.length < 2;
    }
    this.#draw();
  }

  #draw(): void {
    const run = this.#run;
    const pictures = run?.listed.pictures ?? [];
    this.#figure.hidden = pictures.length === 0;
    if (!run || pictures.length === 0) return;
    const last = pictures.length - 1;
    this.#slider.max = String(last);
    if (this.#isNewest) this.#slider.valueAsNumber = last;
    const iteration = pictures[this.#slider.valueAsNumber]!;
    this.#slider.ariaValueText = `iteration ${iteration}`;
    for (const control of [this.#slider, this.#play]) control.hidden = last === 0;
    const source = `picture.png?${new URLSearchParams({ run: run.name, iteration: String(iteration) })}`;
    if (source === this.#shown) return;
    this.#shown = source;
    this.#image.src = source;
    this.#image.alt = `Images from all over the replay buffer of ${run.name} at iteration ${
      countText(iteration)
    }`;
    this.#caption.textContent = `${run.name}, iteration ${countText(iteration)}${
      iteration === pictures[last] ? ", the newest" : ""
    }`;
  }

  #start(): void {
    this.#play.textContent = "Stop";
    this.#isNewest = false;
    if (this.#slider.valueAsNumber === Number(this.#slider.max)) this.#slider.valueAsNumber = -1;
    this.#timer = setInterval(() => {
      this.#slider.valueAsNumber++;
      this.#draw();
      if (this.#slider.valueAsNumber < Number(this.#slider.max)) return;
      this.#isNewest = true;
      this.#stop();
    }, playInterval);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#play.textContent = "Play";
  }
}
