/// <reference lib="dom" />
import type { ModelCalls, ModelSummary } from "../worker/calls.ts";
import { Remote } from "../worker/remote.ts";

/** A part of the page that shows a model. */
export interface ModelView {
  /** Ends whatever uses the model. */
  stop(): Promise<void>;
  /** Turns to another model. */
  show(model: ModelSummary): void;
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

  /** Has a view follow the model from now on. */
  add(view: ModelView): void {
    this.#views.push(view);
  }

  /** Opens a file, after those that are being opened; the model stays as it is if the file cannot be used. */
  open(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<ModelSummary> {
    const opened = this.#opening.catch(() => {}).then(async () => {
      await Promise.all(this.#views.map((view) => view.stop()));
      const model = this.#current = await this.remote.call("open", { name, bytes });
      for (const view of this.#views) view.show(model);
      return model;
    });
    this.#opening = opened;
    return opened;
  }
}
