/** The report's questions about a model, and the parts of an answer. */

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

/** A model with the images that the questions are about. */
export interface Subject {
  /** The ranks that answer together. All ask the same questions and have the same answers. */
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
  /** Pictures of the replay buffer during training, in order; empty if there are none. */
  readonly history: readonly HistoryPicture[];
}

/** The replay buffer at one time. */
export interface HistoryPicture {
  readonly iteration: number;
  readonly png: Uint8Array;
}

/** Which test images are attacked: a draw in which each class has its share, or the first of the test set. */
export const attackOrders = ["drawn", "first"] as const;

/** One of {@link attackOrders}. */
export type AttackOrder = typeof attackOrders[number];

/** The extent of the questions. */
export interface QuestionOptions {
  readonly seed: number;
  /** Number of test images that are attacked. */
  readonly attackImages: number;
  readonly attackOrder: AttackOrder;
  readonly attackSteps: number;
  readonly attackRestarts: number;
  /** SGLD steps of a purification; 0 for none. */
  readonly purificationSteps: number;
  /** Number of test images whose purified classification is attacked. */
  readonly purifiedImages: number;
  /** Most images of each other set that are scored. */
  readonly otherImages: number;
  /** Inception-v3 with the standard FID weights, if available. */
  readonly inception?: InceptionOptions | undefined;
  /** Number of fresh chains whose ends are judged; 0 for entries of the replay buffer. */
  readonly freshSamples: number;
  /** Most entries of the replay buffer that are judged. */
  readonly generatedImages: number;
}

/**
 * How FID is computed: in the current way, 8-bit samples against the training images as pytorch-fid sees them; or as in
 * the official script, unrounded samples against all images, resized as by TensorFlow 1.
 */
export type FidConvention = "current" | "official";

/** Requirements of FID, KID and Inception Score. */
export interface InceptionOptions {
  readonly network: InceptionNetwork;
  readonly convention: FidConvention;
  /** The real images' statistics and the file's name, if an earlier evaluation or pytorch-fid has computed them. */
  readonly statistics: { readonly values: GaussianStatistics; readonly file: string } | undefined;
  /** Keeps the real images' statistics for the next time. */
  readonly keep: (statistics: GaussianStatistics) => Promise<void>;
}

/** Reports the progress of an answer, from 0 to 1. */
export type Progress = (share: number) => void;

/** An answer: numbers for `results.json`, a section of the report, files, and figures for the report's head. */
export interface Answer {
  readonly results: Readonly<Record<string, unknown>>;
  readonly section: Section;
  /** Files beside the report: SVG texts and PNG bytes, by name. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly key: readonly KeyFigure[];
}

/** A figure for the report's head: its name, its value, and perhaps its uncertainty. */
export type KeyFigure = readonly [name: string, value: string, note?: string];

/** One question. */
export interface Question {
  /** Its name in `results.json` and on the command line. */
  readonly name: string;
  /** The answer; undefined if the question makes no sense for this model. */
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

  /** Adds a warning. */
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

/** A proportion for the report's head, with its subject and its 95 % interval in the note. */
export function keyProportion(name: string, fraction: number, interval: Interval, images: number): KeyFigure {
  return [name, percent(fraction), `95 %: ${intervalText(interval)}, n = ${images}`];
}

/** The word in `results.json` for a model that is judged in its own features. */
export const itself = "the model itself";

/** Explains intervals beside proportions. */
export const intervalNote = "In brackets 95 % intervals (Wilson).";

/** Explains intervals beside figures of generated images. */
export const bootstrapNote = `In brackets 95 % intervals (percentiles of ${resamples} bootstrap resamples).`;
