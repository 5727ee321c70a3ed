/// <reference lib="dom" />
import { element, make } from "./elements.ts";

/** Names the open model, and lets the user choose among the bundled ones. */
export class ModelMenu {
  readonly #place = element("model-menu", HTMLElement);
  readonly #onChoose: (name: string) => void;
  #bundled: readonly string[] = [];

  constructor(onChoose: (name: string) => void) {
    this.#onChoose = onChoose;
  }

  /** Sets which models are bundled. */
  set(names: readonly string[]): void {
    this.#bundled = names;
  }

  /**
   * Shows which model is open, by its name alone if there is no other to choose.
   * @param bundled whether it is one of the page's; otherwise it gets its own entry in the menu
   */
  show(name: string, bundled: boolean): void {
    const options = this.#bundled.map((value) =>
      make("option", { value, selected: bundled && value === name }, value)
    );
    if (!bundled) options.push(make("option", { value: "", selected: true }, name));
    if (options.length < 2) return this.#place.replaceChildren(`Model: ${name}`);
    const select = make("select", {}, ...options);
    select.addEventListener("change", () => {
      if (select.value) this.#onChoose(select.value);
    });
    const hadFocus = this.#place.contains(document.activeElement);
    this.#place.replaceChildren(make("label", {}, "Model ", select));
    if (hadFocus) select.focus();
  }
}
