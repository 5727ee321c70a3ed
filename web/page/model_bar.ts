/// <reference lib="dom" />
import type { ModelFormat, ModelSummary } from "../worker/calls.ts";
import { element, make, onFile, StatusLine } from "./elements.ts";
import { ModelMenu } from "./model_menu.ts";
import type { ModelSource, ModelView, PageModel } from "./model.ts";

/** The foot of the page: the model's name, and loading and saving models. */
export class ModelBar implements ModelView {
  readonly #model: PageModel;
  readonly #line = element("model-line", HTMLElement);
  readonly #status = new StatusLine("open-status");
  readonly #exports: readonly HTMLButtonElement[];
  readonly #menu = new ModelMenu((name) => void this.#openBundled(name));
  /** How many models have been requested. */
  #openings = 0;
  /** Which one is open, and whether it is bundled. */
  #opened: { readonly name: string; readonly bundled: boolean } | undefined;

  /** @param takePicture judges a file that is dropped, if it is a picture for the open model, and says whether it is */
  constructor(model: PageModel, takePicture: (file: File) => boolean) {
    this.#model = model;
    this.#exports = (["safetensors", "pt"] as const).map((format) => {
      const button = element(`export-${format}`, HTMLButtonElement);
      button.addEventListener("click", () => void this.#save(format));
      return button;
    });
    onFile("model-file", (file) => void this.#openFile(file));
    this.#acceptDrops((file) => takePicture(file) || void this.#openFile(file));
  }

  show({ name, network, parameters, classNames, height, width, adapter }: ModelSummary): void {
    const size = `${height}×${width}`;
    this.#line.textContent = `${name}: ${network}, ${
      parameters.toLocaleString("en")
    } parameters, ${classNames.length} classes, ${size} pixels, on ${adapter}`;
    for (const button of this.#exports) button.disabled = false;
  }

  /** Opens the first of the bundled models. */
  async start(): Promise<void> {
    try {
      const names: readonly string[] = await (await fetched("models.json")).json();
      this.#menu.set(names);
      if (names[0] !== undefined) await this.#openBundled(names[0]);
    } catch (error) {
      this.#status.fail(error);
    }
  }

  /** Opens a model. The bar says what is wrong with it. */
  async open(source: ModelSource, opened = { name: source.name, bundled: false }): Promise<void> {
    const opening = ++this.#openings;
    try {
      this.#status.show(`Opening ${source.name} …`);
      await this.#model.open(source);
      this.#opened = opened;
      if (opening === this.#openings) this.#status.show("");
    } catch (error) {
      this.#status.fail(error);
    }
    if (this.#opened) this.#menu.show(this.#opened.name, this.#opened.bundled);
  }

  /** Saves the open model; if another is being opened, that one, as soon as it is open. */
  async #save(format: ModelFormat): Promise<void> {
    await this.#model.settled();
    try {
      const name = this.#model.current.name.replace(/\.[^.]*$/, "");
      const bytes = await this.#model.remote.call("export", format);
      const url = URL.createObjectURL(new Blob([bytes]));
      make("a", { href: url, download: `${name}.${format}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      this.#status.fail(error);
    }
  }

  #openBundled(name: string): Promise<void> {
    const file = `${name}.safetensors`;
    const read = async () => (await fetched(file)).blob();
    return this.open({ name: file, read }, { name, bundled: true });
  }

  #openFile(file: File): Promise<void> {
    return this.open({ name: file.name, read: () => file });
  }

  #acceptDrops(take: (file: File) => void): void {
    const hint = element("drop", HTMLElement);
    const shown = (visible: boolean) => hint.classList.toggle("shown", visible);
    addEventListener("dragover", (event) => {
      event.preventDefault();
      shown(true);
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) shown(false);
    });
    addEventListener("drop", (event) => {
      event.preventDefault();
      shown(false);
      const file = event.dataTransfer?.files[0];
      if (file) take(file);
    });
  }
}

/** A file next to the page. */
async function fetched(name: string): Promise<Response> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name} could not be loaded (status ${response.status})`);
  return response;
}
