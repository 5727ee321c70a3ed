/// <reference lib="dom" />
import type { ModelCalls, ModelSummary } from "../worker/calls.ts";
import { Remote } from "../worker/remote.ts";

/** A part of the page that shows a model. */
export interface ModelView {
  /** Ends whatever uses the model, in views that run something on it. */
  stop?(): Promise<void>;
  /** Turns to another model. */
  show(model: ModelSummary): void;
}

/** Whether a model is of colour pictures. They are opened from files; images of the others can be drawn. */
export function isColour({ channels }: ModelSummary): boolean {
  return channels === 3;
}

/** Where a model comes from. */
export interface ModelSource {
  /** Name of the file. */
  readonly name: string;
  read(): Blob | Promise<Blob>;
}

/** The model that the page shows, in its worker. */
export class PageModel {
  readonly remote: Remote<ModelCalls>;
  readonly #views: ModelView[] = [];
  #current: ModelSummary | undefined;
  #opening: Promise<unknown> = Promise.resolve();

  constructor() {
    this.remote = new Remote(new Worker(new URL("model_worker.js", import.meta.url), { type: "module" }));
  }

  /** The open model. */
  get current(): ModelSummary {
    if (!this.#current) throw new Error("the model is not loaded yet");
    return this.#current;
  }

  /** Whether there is an open model. */
  get isOpen(): boolean {
    return this.#current !== undefined;
  }

  /** Makes a view follow the model from now on. */
  add(view: ModelView): void {
    this.#views.push(view);
  }

  /**
   * Opens a model, after those that are being opened. The open one continues its work until the new one can take its
   * place, and stays open if the new one cannot be used.
   */
  open({ name, read }: ModelSource): Promise<void> {
    const opened = this.#opening.catch(() => {}).then(async () => {
      const summary = await this.remote.call("open", { name, file: await read() });
      await Promise.all(this.#views.map((view) => view.stop?.()));
      await this.remote.call("use", undefined);
      this.#current = summary;
      for (const view of this.#views) view.show(summary);
    });
    this.#opening = opened;
    return opened;
  }

  /** Waits until no model is being opened any more, whether that succeeds or not. */
  async settled(): Promise<void> {
    let awaited: Promise<unknown> | undefined;
    while (awaited !== this.#opening) {
      awaited = this.#opening;
      await awaited.catch(() => {});
    }
  }
}
