/// <reference lib="dom" />
import type { Assessment, AttackFrame } from "../worker/calls.ts";
import { element, Slider, type StatusLine } from "./elements.ts";
import { LineChart } from "./line_chart.ts";
import type { PageModel } from "./model.ts";
import { Task } from "./task.ts";

/** What is attacked: an image, and the model's verdict on it. */
interface Target {
  readonly image: Float32Array;
  readonly assessment: Assessment;
}

/** PGD against the class that the model assigns to an image. */
export class AttackPanel {
  readonly #model: PageModel;
  readonly #status: StatusLine;
  readonly #onFrame: (frame: AttackFrame) => void;
  readonly #radius = new Slider("attack-radius", 2);
  readonly #steps = new Slider("attack-steps", 0);
  readonly #button = element("attack-run", HTMLButtonElement);
  readonly #figure = element("attack-figure", HTMLElement);
  readonly #chart = new LineChart(element("attack-curve", HTMLCanvasElement));
  readonly #task: Task;
  #target: Target | undefined;

  constructor(model: PageModel, status: StatusLine, onFrame: (frame: AttackFrame) => void) {
    this.#model = model;
    this.#status = status;
    this.#onFrame = onFrame;
    this.#task = new Task("attack-form", "attack-run", status, (signal) => this.#run(signal));
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** Sets what the next attack starts from, if anything. */
  prepare(target: Target | undefined): void {
    this.#target = target;
    this.#button.disabled = !target;
    this.#figure.hidden = true;
    this.#status.show("");
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (!this.#target) return;
    const { image, assessment: { probabilities } } = this.#target;
    const label = largest(probabilities);
    const steps = this.#steps.value;
    const attacked: number[] = [];
    const others: number[] = [];
    this.#figure.hidden = false;
    this.#status.show("Compiling shaders …");
    const onProgress = (frame: AttackFrame) => {
      this.#onFrame(frame);
      const other = largest(frame.probabilities, label);
      attacked.push(frame.probabilities[label]!);
      others.push(frame.probabilities[other]!);
      this.#draw(attacked, others, steps);
      this.#status.show(`step ${frame.step}/${steps}: ${this.#outcome(frame.probabilities, label)}`);
    };
    const settings = { image, label, radius: this.#radius.value, steps };
    await this.#model.remote.call("attack", settings, { onProgress, signal });
  }

  #outcome(probabilities: Float32Array, label: number): string {
    const { classNames } = this.#model.current;
    const seen = largest(probabilities);
    return seen === label
      ? `still a ${classNames[label]}`
      : `${classNames[label]} became ${classNames[seen]}`;
  }

  #draw(attacked: readonly number[], others: readonly number[], steps: number): void {
    this.#chart.show(
      {
        lines: [{ values: others, colour: "--two" }, { values: attacked, colour: "--one" }],
        last: steps,
        range: { low: 0, high: 1.04 },
      },
      `Probability of the attacked class: ${attacked.at(-1)!.toFixed(3)}`,
    );
  }
}

/** The index of the largest value, among those that are not `except`. */
function largest(values: Float32Array, except = -1): number {
  let best = except === 0 ? 1 : 0;
  values.forEach((value, i) => {
    if (i !== except && value > values[best]!) best = i;
  });
  return best;
}
