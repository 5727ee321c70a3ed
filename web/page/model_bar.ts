/// <reference lib="dom" />
import type { ModelFormat, ModelSummary } from "../worker/calls.ts";
import { element, make, StatusLine } from "./elements.ts";
import type { ModelView, PageModel } from "./model.ts";

/** The foot of the page: which model it is, and models from and to files. */
export class ModelBar implements ModelView {
  readonly #model: PageModel;
  readonly #line = new StatusLine("model-line");
  readonly #exports: readonly HTMLButtonElement[];

  constructor(model: PageModel) {
    this.#model = model;
    this.#exports = (["safetensors", "pt"] as const).map((format) => {
      const button = element(`export-${format}`, HTMLButtonElement);
      button.addEventListener("click", () => void this.#save(format));
      return button;
    });
    const input = element("model-file", HTMLInputElement);
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file) void this.openFile(file);
      input.value = "";
    });
    this.#acceptDrops();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  show({ name, network, parameters, classNames, height, width, adapter }: ModelSummary): void {
    const size = `${height}×${width}`;
    this.#line.show(
      `${name}: ${network}, ${
        parameters.toLocaleString("en")
      } parameters, ${classNames.length} classes, ${size} pixels, on ${adapter}`,
    );
    for (const button of this.#exports) button.disabled = false;
  }

  /** Opens a model file; what is wrong with it is said in the bar. */
  async openFile(file: Pick<File, "name" | "arrayBuffer">): Promise<void> {
    try {
      this.#line.show(`Opening ${file.name} …`);
      await this.#model.open(file.name, new Uint8Array(await file.arrayBuffer()));
    } catch (error) {
      this.#line.fail(error);
    }
  }

  async #save(format: ModelFormat): Promise<void> {
    try {
      const bytes = await this.#model.remote.call("export", format);
      const name = this.#model.current.name.replace(/\.[^.]*$/, "");
      const url = URL.createObjectURL(new Blob([bytes]));
      make("a", { href: url, download: `${name}.${format}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      this.#line.fail(error);
    }
  }

  #acceptDrops(): void {
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
      if (file) void this.openFile(file);
    });
  }
}
