/** What the page's two workers can be asked. */

import type { ChainStart } from "../../src/train/chain_starts.ts";
import type { IterationReport } from "../../src/train/iteration_report.ts";

/** A model file that the page has loaded. */
export interface ModelSummary {
  /** Name of the file. */
  readonly name: string;
  /** For example `WRN-10-1`. */
  readonly network: string;
  readonly parameters: number;
  readonly classNames: readonly string[];
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** What computes. */
  readonly adapter: string;
  /** Where chains can start. */
  readonly starts: readonly ChainStart[];
  /** Those of the training: K, α, σ. */
  readonly steps: number;
  readonly stepSize: number;
  readonly noiseScale: number;
  /** Undefined if the page does not have the training images. */
  readonly reference: Reference | undefined;
}

/** How the model scores images of its own kind. */
export interface Reference {
  /** log p̃(x) of the training images, ascending. */
  readonly densities: Float32Array;
  /** Share of the training images whose log p̃ lies below {@link threshold}. */
  readonly quantile: number;
  /** An image with a smaller log p̃(x) counts as out of distribution. */
  readonly threshold: number;
  /** Share of the test images below it, which the model has not seen. */
  readonly testShare: number;
}

/** How chains run; `label` is the class y of p(x|y), or undefined for p(x). */
export interface ChainSettings extends LiveSettings {
  readonly start: ChainStart;
  readonly label: number | undefined;
  readonly count: number;
  readonly steps: number;
  readonly seed: number;
}

/** What can be changed while chains run. */
export interface LiveSettings {
  readonly stepSize: number;
  readonly noiseScale: number;
}

/** Chains after a step; step 0 is their start. */
export interface ChainFrame {
  readonly step: number;
  /** `[N, H, W, C]` in [−1, 1]. */
  readonly images: Float32Array<ArrayBuffer>;
  /** log p̃(x) of each. */
  readonly densities: Float32Array<ArrayBuffer>;
}

/** What a model makes of one image. */
export interface Assessment {
  /** p(y|x). */
  readonly probabilities: Float32Array;
  /** log p̃(x) = −E(x). */
  readonly logDensity: number;
}

/** PGD in L∞ from an image; the radius is in the units of images in [0, 1]. */
export interface AttackSettings {
  readonly image: Float32Array;
  /** The class that is attacked. */
  readonly label: number;
  readonly radius: number;
  readonly steps: number;
}

/** An attack after a step; step 0 is the image as it was. */
export interface AttackFrame extends Assessment {
  readonly step: number;
  readonly image: Float32Array<ArrayBuffer>;
}

/** Formats that models are exported in. */
export type ModelFormat = "safetensors" | "pt";

/** What the worker that holds the model answers. */
export type ModelCalls = {
  /** Reads a model and keeps it beside the one that is open. */
  open: { input: { readonly name: string; readonly file: Blob }; progress: never; result: ModelSummary };
  /** Puts the model that was read last in the place of the one that is open. */
  use: { input: undefined; progress: never; result: void };
  export: { input: ModelFormat; progress: never; result: Uint8Array<ArrayBuffer> };
  /** The result is the number of steps taken. */
  sample: { input: ChainSettings; progress: ChainFrame; result: number };
  /** Changes the chains that run. */
  adjust: { input: LiveSettings; progress: never; result: void };
  assess: { input: Float32Array; progress: never; result: Assessment };
  /** An image of the test set, counted modulo its size, and its class. */
  testImage: {
    input: number;
    progress: never;
    result: { readonly image: Float32Array<ArrayBuffer>; readonly label: number };
  };
  attack: { input: AttackSettings; progress: AttackFrame; result: void };
};

/** A training run on the digits; whatever is not given here is as in the preset. */
export interface TrainingSettings {
  readonly iterations: number;
  /** Images of each batch, labelled and of the likelihood. */
  readonly batch: number;
  /** K. */
  readonly steps: number;
  readonly learningRate: number;
  readonly rho: number;
  readonly seed: number;
}

/** Where a training run stands. */
export interface TrainingProgress {
  readonly reports: readonly IterationReport[];
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  /** Entries of the replay buffer, `[N, H, W, C]`. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Share of the test images that are classified right, where that was measured. */
  readonly testAccuracy: number | undefined;
}

/** What the worker that trains answers; a run that is stopped leaves its model too. */
export type TrainingCalls = {
  train: {
    input: TrainingSettings;
    progress: TrainingProgress;
    result: {
      readonly iterations: number;
      readonly testAccuracy: number;
      readonly model: Uint8Array<ArrayBuffer>;
    };
  };
};
