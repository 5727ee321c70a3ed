/// <reference lib="dom" />
import { element, type StatusLine } from "./elements.ts";

/**
 * A form whose button starts work, and stops it while it runs. Failures appear in the form's status line.
 */
export class Task {
  readonly #button: HTMLButtonElement;
  readonly #label: string;
  #running: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;

  constructor(
    form: string,
    button: string,
    readonly status: StatusLine,
    readonly work: (signal: AbortSignal) => Promise<void>,
  ) {
    this.#button = element(button, HTMLButtonElement);
    this.#label = this.#button.textContent ?? "";
    element(form, HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#running) void this.stop();
      else if (!this.#button.disabled) this.start();
    });
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** Starts, unless it is running already. */
  start(): void {
    if (this.#running) return;
    const controller = new AbortController();
    this.#button.textContent = "Stop";
    const done = this.work(controller.signal)
      .catch((error) => this.status.fail(error))
      .finally(() => {
        this.#running = undefined;
        this.#button.textContent = this.#label;
      });
    this.#running = { controller, done };
  }

  /** Stops, and waits until it has stopped. */
  async stop(): Promise<void> {
    this.#running?.controller.abort();
    await this.#running?.done;
  }
}
