import type { Dataset } from "../../data/dataset.ts";
import type { Subsets } from "../../data/subsets.ts";
import { Purpose, RandomStream, streamWords } from "../../random/philox.ts";
import type { Configuration } from "../configuration.ts";
import { BatchOrder } from "./batch_order.ts";
import { drawCrops, drawReplay } from "./draws.ts";
import type { InputValues } from "./inputs.ts";
import type { Shards } from "./shards.ts";

/** Everything that iterations draw at random on the host, for all shards. */
export class IterationDraws {
  readonly #configuration: Configuration;
  readonly #shards: Shards;
  readonly #classes: number;
  readonly #labels: Uint32Array;
  readonly #augmentation: Dataset["augmentation"];
  #likelihoodOrder: BatchOrder;
  #labelledOrder: BatchOrder;

  /** @throws {ConfigurationError} if there are fewer images than a batch needs. */
  constructor(configuration: Configuration, dataset: Dataset, subsets: Subsets, shards: Shards) {
    const { seed, likelihoodBatch, labelledBatch, padding, flip } = configuration;
    this.#configuration = configuration;
    this.#shards = shards;
    this.#classes = dataset.classNames.length;
    this.#labels = dataset.train.labels;
    this.#augmentation = {
      padding: padding ?? dataset.augmentation.padding,
      flip: flip ?? dataset.augmentation.flip,
    };
    const { training, labelled } = subsets;
    this.#likelihoodOrder = new BatchOrder(seed, Purpose.likelihoodOrder, training, likelihoodBatch);
    this.#labelledOrder = new BatchOrder(seed, Purpose.labelledOrder, labelled, labelledBatch);
  }

  /** Iterations in one pass over the labelled images. */
  get batchesPerEpoch(): number {
    return this.#labelledOrder.batchesPerEpoch;
  }

  /** How many pixels crops may be off the centre. */
  get padding(): number {
    return this.#augmentation.padding;
  }

  /** Continues with the streams of another seed. */
  reseed(seed: number): void {
    this.#likelihoodOrder = this.#likelihoodOrder.withSeed(seed);
    this.#labelledOrder = this.#labelledOrder.withSeed(seed);
  }

  /** The inputs of iteration `t` under a learning rate. */
  at(t: number, learningRate: number): InputValues {
    const { likelihoodBatch, labelledBatch, reinitProbability, beta1, beta2 } = this.#configuration;
    const { seed } = this.#labelledOrder;
    const labelledIndices = this.#labelledOrder.at(t);
    const crops = (purpose: number, batch: number) =>
      drawCrops(new RandomStream(seed, purpose, t), batch, this.#augmentation);
    return {
      stream: streamWords(seed, t),
      schedule: [learningRate, 1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1), 0],
      likelihoodIndices: this.#likelihoodOrder.at(t),
      likelihoodCrops: crops(Purpose.likelihoodCrop, likelihoodBatch),
      labelledIndices,
      labelledCrops: crops(Purpose.labelledCrop, labelledBatch),
      labels: labelledIndices.map((index) => this.#labels[index]!),
      ...drawReplay({
        seed,
        iteration: t,
        batch: likelihoodBatch,
        shardBatch: this.#shards.likelihoodBatch,
        entries: this.#shards.entries,
        classes: this.#classes,
        reinitProbability,
      }),
    };
  }
}
