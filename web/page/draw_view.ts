/// <reference lib="dom" />
import type { ModelSummary } from "../worker/calls.ts";
import { AttackPanel } from "./attack_panel.ts";
import { element, onFile, StatusLine } from "./elements.ts";
import { isColour, type ModelView, type PageModel } from "./model.ts";
import { Pad } from "./pad.ts";
import { Verdict } from "./verdict.ts";
import { fitToFrame, rasterise } from "./strokes.ts";
import { Tiles } from "./tiles.ts";

/** A drawing, a test image or a picture, the model's verdict on it, and the attack on it. */
export class DrawView implements ModelView {
  readonly #model: PageModel;
  readonly #pad: Pad;
  readonly #fit = element("pad-fit", HTMLInputElement);
  readonly #test = element("pad-test", HTMLButtonElement);
  readonly #seen = new Tiles(element("seen", HTMLCanvasElement));
  readonly #caption = element("seen-caption", HTMLElement);
  readonly #verdict = new Verdict();
  readonly #status = new StatusLine("attack-status");
  readonly #attack: AttackPanel;
  #image: Float32Array<ArrayBuffer> | undefined;
  #testImages = 0;
  /** Whether the image has changed since it was last judged, and the judgement that is under way. */
  #changed = false;
  #judging: Promise<void> | undefined;

  constructor(model: PageModel) {
    this.#model = model;
    this.#pad = new Pad(element("pad", HTMLCanvasElement), () => void this.#drawn());
    this.#attack = new AttackPanel(model, this.#status, (frame) => {
      this.#seen.show(frame.image, model.current);
      this.#verdict.show(frame, model.current);
    });
    element("pad-clear", HTMLButtonElement).addEventListener("click", () => this.#pad.clear());
    this.#fit.addEventListener("change", () => void this.#drawn());
    this.#test.addEventListener("click", () => void this.#takeTestImage());
    onFile("picture-file", (file) => void this.#openPicture(file));
  }

  async stop(): Promise<void> {
    this.#image = undefined;
    await Promise.all([this.#attack.stop(), this.#judging]);
  }

  show(model: ModelSummary): void {
    this.#test.disabled = !model.reference;
    const colour = isColour(model);
    element("picture", HTMLElement).hidden = !colour;
    for (const id of ["pad-figure", "pad-clear", "pad-test", "pad-fit-label"]) {
      element(id, HTMLElement).hidden = colour;
    }
    this.#verdict.start(model);
    void this.#drawn();
  }

  async #drawn(): Promise<void> {
    if (!this.#model.isOpen) return;
    const { strokes } = this.#pad;
    if (strokes.length === 0 || isColour(this.#model.current)) {
      this.#image = undefined;
      this.#attack.prepare(undefined);
      this.#seen.clear();
      return this.#verdict.start(this.#model.current);
    }
    this.#caption.textContent = "What the network sees";
    const drawing = this.#fit.checked ? fitToFrame(strokes) : strokes;
    await this.#judge(rasterise(drawing, this.#model.current.height));
  }

  /** Judges a picture if the open model is of such ones. Returns whether it is. */
  take(file: File): boolean {
    const taken = file.type.startsWith("image/") && this.#model.isOpen && isColour(this.#model.current);
    if (taken) void this.#openPicture(file);
    return taken;
  }

  async #openPicture(file: File): Promise<void> {
    const model = this.#model.current;
    try {
      const image = await this.#model.remote.call("picture", { name: file.name, file });
      if (this.#model.current !== model) return;
      this.#caption.textContent = "What the network sees";
      await this.#judge(image);
    } catch (error) {
      this.#status.fail(error);
    }
  }

  async #takeTestImage(): Promise<void> {
    try {
      this.#pad.clear();
      const { image, label } = await this.#model.remote.call("testImage", this.#testImages++);
      this.#caption.textContent = `A test image of class ${this.#model.current.classNames[label]}`;
      await this.#judge(image);
    } catch (error) {
      this.#status.fail(error);
    }
  }

  /** Shows an image and judges it. While one is being judged, only the latest waits. */
  async #judge(image: Float32Array<ArrayBuffer>): Promise<void> {
    await this.#attack.stop();
    this.#image = image;
    this.#changed = true;
    this.#seen.show(image, this.#model.current);
    this.#judging ??= this.#judgeLatest().finally(() => this.#judging = undefined);
    await this.#judging;
  }

  async #judgeLatest(): Promise<void> {
    try {
      while (this.#changed && this.#image) {
        this.#changed = false;
        const judged = this.#image;
        const assessment = await this.#model.remote.call("assess", judged);
        if (this.#image !== judged) continue;
        this.#verdict.show(assessment, this.#model.current);
        this.#attack.prepare({ image: judged, assessment });
      }
    } catch (error) {
      this.#status.fail(error);
    }
  }
}
