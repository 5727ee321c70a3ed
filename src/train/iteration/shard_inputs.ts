import type { Dataset } from "../../data/dataset.ts";
import type { CropOptions, DeviceImages } from "../../data/device_images.ts";
import { StreamedImages } from "../../data/streamed_images.ts";
import { Purpose } from "../../random/philox.ts";
import type { Context } from "../../tensor/context.ts";
import { add } from "../../tensor/operations/arithmetic.ts";
import { normal } from "../../tensor/operations/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type InputPart, type InputValues, IterationInputs } from "./inputs.ts";
import type { Shards } from "./shards.ts";

/** The two independent streams of training images. */
type Stream = "likelihood" | "labelled";

/** What the images of a shard are made from, and how. */
export interface ImageOptions {
  readonly dataset: Dataset;
  /** The training images on the GPU: all of them, or else batches are uploaded. */
  readonly images: DeviceImages;
  /** Pixels of reflect-padding before a crop. */
  readonly padding: number;
  readonly augmentLikelihood: boolean;
  /** σ of the noise on x_p. */
  readonly inputNoise: number;
}

/** What an iteration reads for one shard, and the images that it names. */
export class ShardInputs {
  readonly #inputs: IterationInputs;
  readonly #options: ImageOptions;
  /** Batches of images that are not kept on the GPU. */
  readonly #streamed: Readonly<Record<Stream, StreamedImages>> | undefined;

  constructor(context: Context, { likelihoodBatch, labelledBatch }: Shards, options: ImageOptions) {
    const { images, dataset } = options;
    this.#options = options;
    this.#inputs = new IterationInputs(context, likelihoodBatch, labelledBatch);
    if (images.count === dataset.train.count) return;
    this.#streamed = {
      likelihood: new StreamedImages(context, dataset, likelihoodBatch),
      labelled: new StreamedImages(context, dataset, labelledBatch),
    };
  }

  /** Each of the values as a tensor. */
  get parts(): Readonly<Record<InputPart, Tensor>> {
    return this.#inputs.parts;
  }

  /** Uploads the values of an iteration. */
  upload(values: InputValues): void {
    this.#inputs.upload(values);
    this.#streamed?.likelihood.upload(values.likelihoodIndices);
    this.#streamed?.labelled.upload(values.labelledIndices);
  }

  /** x_p: not augmented, perhaps with noise. */
  likelihoodImages(): Tensor {
    const { augmentLikelihood, inputNoise } = this.#options;
    const images = this.#expand("likelihood", augmentLikelihood);
    if (inputNoise === 0) return images;
    return add(images, normal(this.parts.stream, Purpose.inputNoise, images.shape), inputNoise);
  }

  /** x_l: augmented. */
  labelledImages(): Tensor {
    return this.#expand("labelled", true);
  }

  #expand(stream: Stream, augment: boolean): Tensor {
    const { images, padding } = this.#options;
    const crop: CropOptions | undefined = augment
      ? { padding, crops: this.parts[`${stream}Crops`] }
      : undefined;
    return this.#streamed?.[stream].expand(crop) ?? images.expand(this.parts[`${stream}Indices`], crop);
  }
}
