/// <reference lib="dom" />
import type { ModelSummary } from "../worker/calls.ts";
import { element } from "./elements.ts";
import type { ModelView } from "./model.ts";

/** A step of the tour: what it says, and what it shows. */
interface Step {
  readonly tab: string;
  /** The element that it explains. */
  readonly about: string;
  readonly title: string;
  readonly text: string;
}

const steps: readonly Step[] = [
  {
    tab: "tab-sample",
    about: "chain-figure",
    title: "Energy",
    text:
      "The network gives every image one number, its energy E(x). Training lowers it for real digits and " +
      "raises it for the network’s own samples. Low energy means that the network finds an image credible. " +
      "Nine in ten training digits lie in the shaded band.",
  },
  {
    tab: "tab-sample",
    about: "chains",
    title: "Chains",
    text:
      "Each tile is a chain. It starts as a blurred, random image and moves downhill in energy, one small " +
      "step at a time, until it looks like a digit. Press Run chains to watch it again, choose a class, or " +
      "change the step size and the noise while the chains run.",
  },
  {
    tab: "tab-draw",
    about: "density-figure",
    title: "Density",
    text: "Draw a digit. The bars say which digit the network sees. The chart says how likely it finds the " +
      "image at all: log p̃(x) is the energy with its sign changed, and the grey bars are the training digits. " +
      "Left of the dashed threshold an image counts as out of distribution. Try a scribble.",
  },
  {
    tab: "tab-draw",
    about: "attack-form",
    title: "Attack",
    text:
      "An attack looks for the change that misleads the network most and moves no pixel by more than ε. " +
      "At ε = 0.03 it mostly fails: learning what digits look like has also made the network’s answers change " +
      "slowly from one image to the next. At ε = 0.25, a quarter of the way from black to white, it mostly works.",
  },
  {
    tab: "tab-train",
    about: "train-form",
    title: "Training",
    text:
      "Train the same network from scratch. The loss falls, and the chains in the replay buffer begin to " +
      "look like digits. You can stop at any time. Use this model opens what you have trained in the " +
      "other tabs.",
  },
];

const marked = "toured";
/** Where the card takes the whole width. Elsewhere it stands on the side away from its element. */
const narrow = "(max-width: 900px)";

/** A few steps through the page, beside its controls, which keep working. It starts only on request. */
export class Tour implements ModelView {
  readonly #card = element("tour", HTMLElement);
  readonly #start = element("tour-start", HTMLButtonElement);
  readonly #back = element("tour-back", HTMLButtonElement);
  readonly #next = element("tour-next", HTMLButtonElement);
  readonly #title = element("tour-title", HTMLElement);
  #place = 0;

  constructor() {
    this.#start.addEventListener("click", () => this.#show(0));
    this.#back.addEventListener("click", () => this.#show(this.#place - 1));
    this.#next.addEventListener("click", () => this.#show(this.#place + 1));
    element("tour-close", HTMLButtonElement).addEventListener("click", () => this.#close());
    addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && !this.#card.hidden) this.#close();
    });
  }

  /** What the tour says holds for the digits, whose training images the page has. */
  show({ reference }: ModelSummary): void {
    this.#start.hidden = !reference;
    if (!reference && !this.#card.hidden) this.#close();
  }

  #show(place: number): void {
    const step = steps[place];
    if (!step) return this.#close();
    this.#place = place;
    element(step.tab, HTMLButtonElement).click();
    this.#card.hidden = false;
    this.#title.textContent = `${step.title} (${place + 1} of ${steps.length})`;
    element("tour-text", HTMLElement).textContent = step.text;
    this.#back.disabled = place === 0;
    this.#next.textContent = place === steps.length - 1 ? "Done" : "Next";
    // Focus on the title makes a screen reader read it, and the buttons come next.
    this.#title.focus({ preventScroll: true });
    const about = element(step.about, HTMLElement);
    this.#mark(about);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { left, right } = about.getBoundingClientRect();
    this.#card.classList.toggle("left", left + right > innerWidth);
    about.scrollIntoView({
      block: matchMedia(narrow).matches ? "start" : "nearest",
      behavior: still ? "instant" : "smooth",
    });
  }

  #close(): void {
    this.#card.hidden = true;
    this.#mark(undefined);
    // On a small screen the button is in the first tab alone.
    if (this.#start.offsetParent) this.#start.focus();
    else document.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus();
  }

  #mark(about: HTMLElement | undefined): void {
    document.querySelector(`.${marked}`)?.classList.remove(marked);
    about?.classList.add(marked);
  }
}
