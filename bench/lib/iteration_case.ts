/** The training runs whose iterations are measured. */

import type { Dataset } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/load.ts";
import type { Context } from "../../src/tensor/context.ts";
import { type Configuration, parseConfiguration } from "../../src/train/configuration.ts";
import { preset } from "../../src/train/presets.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { noiseLikeCifar10 } from "./noise_dataset.ts";

/** Names of the runs; WRN-28-10 is for real GPUs. */
export const runNames = ["digits", "wrn-10-1", "wrn-28-10"] as const;

/** One of {@link runNames}. */
export type RunName = typeof runNames[number];

/** The parts of a run. */
export interface Run {
  readonly configuration: Configuration;
  readonly dataset: Dataset;
}

/**
 * The run with a name: the digits preset, or noise in CIFAR-10's format on a small network, or on the published one.
 */
export async function runNamed(name: RunName): Promise<Run> {
  if (name === "digits") {
    return { configuration: preset("digits"), dataset: await loadDataset({ name: "digits" }) };
  }
  const options = name === "wrn-10-1" ? { depth: 10, width: 1, labelledBatch: 64, bufferSize: 500 } : {};
  return { configuration: parseConfiguration(options), dataset: noiseLikeCifar10(1000) };
}

/** The trainer of a run, ready for its first iteration. */
export async function prepareTrainer(context: Context, { configuration, dataset }: Run): Promise<Trainer> {
  const trainer = new Trainer(context, configuration, dataset);
  await trainer.fillReplayBuffer();
  return trainer;
}
