/** The calls to the page's two workers. */

import type { ChainStart } from "../../src/train/chain_starts.ts";
import type { IterationReport } from "../../src/train/iteration/report.ts";

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
  /** The adapter. */
  readonly adapter: string;
  /** Where chains can start. */
  readonly starts: readonly ChainStart[];
  /** Settings of the training: K, α, σ. */
  readonly steps: number;
  /** Length of the chains that draw from the model, if it says one. */
  readonly samplingSteps: number | undefined;
  readonly stepSize: number;
  readonly noiseScale: number;
  /** Undefined if the page does not have the training images. */
  readonly reference: Reference | undefined;
}

/** The model's scores of images of its own kind. */
export interface Reference {
  /** log p̃(x) of the training images, ascending. */
  readonly densities: Float32Array;
  /** Share of the training images whose log p̃ lies below {@link threshold}. */
  readonly quantile: number;
  /** An image with a smaller log p̃(x) counts as out of distribution. */
  readonly threshold: number;
  /** Share of the test images below it. The model has not seen those. */
  readonly testShare: number;
}

/** How chains run. `label` is the class y of p(x|y), or undefined for p(x). */
export interface ChainSettings extends LiveSettings {
  readonly start: ChainStart;
  readonly label: number | undefined;
  readonly count: number;
  readonly steps: number;
  readonly seed: number;
}

/** Settings that can be changed while chains run. */
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

/** A model's verdict on one image. */
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

/** An attack after a step. Step 0 is the unchanged image. */
export interface AttackFrame extends Assessment {
  readonly step: number;
  readonly image: Float32Array<ArrayBuffer>;
}

/** Formats that models are exported in. */
export type ModelFormat = "safetensors" | "pt";

/** The calls that the model's worker answers. */
export type ModelCalls = {
  /** Reads a model and keeps it beside the open one. */
  open: { input: { readonly name: string; readonly file: Blob }; progress: never; result: ModelSummary };
  /** Makes the model that was read last the open one. */
  use: { input: undefined; progress: never; result: void };
  export: { input: ModelFormat; progress: never; result: Uint8Array<ArrayBuffer> };
  /** The result is the number of steps taken. */
  sample: { input: ChainSettings; progress: ChainFrame; result: number };
  /** Changes the running chains. */
  adjust: { input: LiveSettings; progress: never; result: void };
  assess: { input: Float32Array; progress: never; result: Assessment };
  /** An image of the test set, with its index counted modulo the size, and its class. */
  testImage: {
    input: number;
    progress: never;
    result: { readonly image: Float32Array<ArrayBuffer>; readonly label: number };
  };
  /** A picture as an image of the model, which has three channels. */
  picture: {
    input: { readonly name: string; readonly file: Blob };
    progress: never;
    result: Float32Array<ArrayBuffer>;
  };
  attack: { input: AttackSettings; progress: AttackFrame; result: void };
};

/** A training run on the digits. Everything not given here is as in the preset. */
export interface TrainingSettings {
  readonly iterations: number;
  /** Number of images in each batch, of labelled ones and of the likelihood's. */
  readonly batch: number;
  /** K. */
  readonly steps: number;
  readonly learningRate: number;
  readonly rho: number;
  readonly seed: number;
}

/** State of a training run. */
export interface TrainingProgress {
  readonly reports: readonly IterationReport[];
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  /** Entries of the replay buffer, `[N, H, W, C]`. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Share of the test images that are classified correctly, if it was measured. */
  readonly testAccuracy: number | undefined;
}

/** The calls that the training worker answers. A stopped run leaves its model too. */
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
