/** What the report asks of a model, and what an answer consists of. */

import { intervalText, percent } from "../evaluate/percent.ts";
import type { Dataset, ImageSet } from "../data/dataset.ts";
import type { DeviceImages } from "../data/device_images.ts";
import type { Communicator } from "../distributed/communicator.ts";
import { resamples } from "../evaluate/bootstrap.ts";
import type { Classified } from "../evaluate/classification.ts";
import type { GaussianStatistics } from "../evaluate/frechet.ts";
import type { Interval } from "../evaluate/proportion.ts";
import type { InceptionNetwork } from "../evaluate/inception_features.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import type { Checkpoint } from "../train/checkpoint/checkpoint.ts";
import type { Block, Section } from "./html.ts";
import { type PlotSpec, rasterise, renderSvg } from "./plot.ts";

/** A model with the images that it is asked about. */
export interface Subject {
  /** Whose ranks answer together: all ask the same of the same, and have the same answers. */
  readonly communicator: Communicator;
  readonly model: WideResNet;
  readonly checkpoint: Checkpoint;
  readonly dataset: Dataset;
  readonly test: DeviceImages;
  readonly train: DeviceImages;
  /** The test images' logits, computed once. */
  readonly classifiedTest: () => Promise<Classified>;
  /** The model in whose features samples are compared with training images: another one, or this model itself. */
  readonly referee: { readonly model: WideResNet; readonly name: string } | undefined;
  /** Other sets of images of the same format, by name. */
  readonly others: readonly { readonly name: string; readonly set: ImageSet }[];
  /** Pictures of the replay buffer during training, in their order; empty if there are none. */
  readonly history: readonly HistoryPicture[];
}

/** The replay buffer at one time. */
export interface HistoryPicture {
  readonly iteration: number;
  readonly png: Uint8Array;
}

/** Which test images are attacked: a draw in which each class has its share, or the test set's first. */
export const attackOrders = ["drawn", "first"] as const;

/** One of {@link attackOrders}. */
export type AttackOrder = typeof attackOrders[number];

/** How much is asked. */
export interface QuestionOptions {
  readonly seed: number;
  /** Test images that are attacked. */
  readonly attackImages: number;
  readonly attackOrder: AttackOrder;
  readonly attackSteps: number;
  readonly attackRestarts: number;
  /** SGLD steps of a purification; 0 for none. */
  readonly purificationSteps: number;
  /** Test images whose purified classification is attacked. */
  readonly purifiedImages: number;
  /** Images of each other set that are scored at most. */
  readonly otherImages: number;
  /** Inception-v3 with the standard FID weights, if they are at hand. */
  readonly inception?: InceptionOptions | undefined;
  /** Fresh chains whose ends are judged; 0 for entries of the replay buffer. */
  readonly freshSamples: number;
  /** Entries of the replay buffer that are judged at most. */
  readonly generatedImages: number;
}

/**
 * How FID is taken: today's way, 8-bit samples against the training images as pytorch-fid sees them; or the official
 * script's, samples that are not rounded against all images, resized as TensorFlow 1 does.
 */
export type FidConvention = "current" | "official";

/** What FID, KID and Inception Score need. */
export interface InceptionOptions {
  readonly network: InceptionNetwork;
  readonly convention: FidConvention;
  /** The real images' statistics, if an earlier evaluation or pytorch-fid has computed them, and the file's name. */
  readonly statistics: { readonly values: GaussianStatistics; readonly file: string } | undefined;
  /** Keeps the real images' statistics for the next time. */
  readonly keep: (statistics: GaussianStatistics) => Promise<void>;
}

/** Tells how far an answer is: a share from 0 to 1. */
export type Progress = (share: number) => void;

/** An answer: numbers for `results.json`, a section of the report, files, and figures for its head. */
export interface Answer {
  readonly results: Readonly<Record<string, unknown>>;
  readonly section: Section;
  /** Files beside the report: SVG texts and PNG bytes, by name. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly key: readonly KeyFigure[];
}

/** A figure for the report's head: its name, its value, and perhaps how far it is known. */
export type KeyFigure = readonly [name: string, value: string, note?: string];

/** One question. */
export interface Question {
  /** Its name in `results.json` and on the command line. */
  readonly name: string;
  /** The answer; nothing if it cannot be asked of this model. */
  ask(subject: Subject, options: QuestionOptions, progress: Progress): Promise<Answer | undefined>;
}

/** Collects the blocks and files of an answer. */
export class AnswerBuilder {
  readonly #blocks: Block[] = [];
  readonly #files = new Map<string, string | Uint8Array>();

  constructor(readonly title: string) {}

  text(text: string): this {
    this.#blocks.push({ kind: "text", text });
    return this;
  }

  /** Adds what must not be missed. */
  warning(text: string): this {
    this.#blocks.push({ kind: "warning", text });
    return this;
  }

  table(head: readonly string[], rows: readonly (readonly string[])[], caption?: string): this {
    this.#blocks.push({ kind: "table", table: { head, rows }, ...(caption !== undefined && { caption }) });
    return this;
  }

  /** Adds a plot, which also becomes `NAME.svg` and `NAME.png`. */
  async plot(name: string, spec: PlotSpec, caption: string): Promise<this> {
    return await this.drawing(name, await renderSvg(spec), caption);
  }

  /** Adds an SVG document, which also becomes `NAME.svg` and `NAME.png`. */
  async drawing(name: string, svg: string, caption: string): Promise<this> {
    this.#blocks.push({ kind: "plot", svg, caption });
    this.#files.set(`${name}.svg`, svg).set(`${name}.png`, await rasterise(svg));
    return this;
  }

  /** Adds a picture, which also becomes `NAME.png`. */
  picture(name: string, png: Uint8Array, caption: string): this {
    this.#blocks.push({ kind: "picture", png, caption });
    this.#files.set(`${name}.png`, png);
    return this;
  }

  answer(
    results: Readonly<Record<string, unknown>>,
    key: readonly KeyFigure[] = [],
  ): Answer {
    return { results, key, files: this.#files, section: { title: this.title, blocks: this.#blocks } };
  }
}

/** A proportion for the report's head: what it is of, and its 95 % interval, stand in the note. */
export function keyProportion(name: string, fraction: number, interval: Interval, images: number): KeyFigure {
  return [name, percent(fraction), `95 %: ${intervalText(interval)}, n = ${images}`];
}

/** What `results.json` calls a model that is judged in its own features. */
export const itself = "the model itself";

/** What intervals beside proportions are. */
export const intervalNote = "In brackets 95 % intervals (Wilson).";

/** What intervals beside figures of generated images are. */
export const bootstrapNote = `In brackets 95 % intervals (percentiles of ${resamples} bootstrap resamples).`;
