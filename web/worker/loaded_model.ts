import { type Dataset, imageBytes, pixelsOf } from "../../src/data/dataset.ts";
import { fitDataset } from "../../src/data/fit.ts";
import { softmaxRows } from "../../src/evaluate/probabilities.ts";
import type { Initialisation } from "../../src/jem/initialisation.ts";
import { evaluation, type WideResNet } from "../../src/nn/wide_resnet.ts";
import type { Context } from "../../src/tensor/context.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { carriesStarts } from "../../src/train/carried_starts.ts";
import { type ChainStart, fittedImages, informativeStart } from "../../src/train/chain_starts.ts";
import {
  type Checkpoint,
  hasReplayImages,
  modelFrom,
  modelOnly,
  serializeCheckpoint,
} from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile, serializeOfficial } from "../../src/train/checkpoint/import.ts";
import type { Assessment, ModelFormat, ModelSummary, Reference } from "./calls.ts";
import { pictureImage } from "./picture.ts";
import { measureReference } from "./reference.ts";

/** A model file on the GPU, with the digits if it was trained on them. */
export class LoadedModel {
  #informative: Initialisation | undefined;

  private constructor(
    readonly context: Context,
    readonly name: string,
    readonly checkpoint: Checkpoint,
    readonly network: WideResNet,
    /** The data that the model was trained on; undefined if the page does not have them. */
    readonly dataset: Dataset | undefined,
    readonly reference: Reference | undefined,
  ) {}

  /**
   * Reads a model file of any known kind and measures its reference.
   * @param digits loads the page's only data set
   * @throws {CheckpointError} if the file is damaged or holds no such model.
   * @throws {DataError} if it claims to be trained on the digits, but its classes are not theirs.
   */
  static async open(
    context: Context,
    name: string,
    bytes: Uint8Array<ArrayBuffer>,
    digits: () => Promise<Dataset>,
  ): Promise<LoadedModel> {
    const checkpoint = await readModelFile(bytes);
    const dataset = checkpoint.configuration.dataset === "digits"
      ? fitDataset(await digits(), checkpoint.images)
      : undefined;
    const network = modelFrom(context, checkpoint);
    const reference = dataset && await measureReference(network, dataset);
    return new LoadedModel(context, name, checkpoint, network, dataset, reference);
  }

  /** What the page shows about the model. */
  get summary(): ModelSummary {
    const { configuration, images } = this.checkpoint;
    const { depth, width, steps, stepSize, noiseScale } = configuration;
    const starts: ChainStart[] = [];
    if (this.dataset || carriesStarts(this.checkpoint)) starts.push("informative");
    if (hasReplayImages(this.checkpoint)) starts.push("buffer");
    starts.push("noise");
    return {
      ...images,
      name: this.name,
      network: `WRN-${depth}-${width}`,
      parameters: this.network.parameters.all.reduce(
        (sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1),
        0,
      ),
      adapter: this.context.gpu.adapterName,
      starts,
      steps,
      samplingSteps: this.checkpoint.samplingSteps,
      stepSize,
      noiseScale,
      reference: this.reference,
    };
  }

  /** Gaussians of the classes, made on first use. */
  informative(): Promise<Initialisation> {
    const { context, checkpoint, dataset } = this;
    if (!dataset && !carriesStarts(checkpoint)) {
      return Promise.reject(new Error("the training images of this model are not here"));
    }
    const images = () => fittedImages(context, dataset!);
    return Promise.resolve(this.#informative ??= informativeStart(context, checkpoint, images));
  }

  /** The model's verdict on one image, `[1, H, W, C]`. */
  async assess(image: Tensor): Promise<Assessment> {
    using logits = this.network.classify(image, evaluation);
    using score = this.network.energyScore(image, evaluation);
    const [logitValues, scores] = await this.context.read([logits, score]);
    const classes = this.checkpoint.images.classNames.length;
    return {
      probabilities: Float32Array.from(softmaxRows(logitValues!, classes)),
      logDensity: scores![0]!,
    };
  }

  /** One image on the GPU, `[1, H, W, C]`. */
  upload(image: Float32Array): Tensor {
    const { height, width, channels } = this.checkpoint.images;
    return this.context.from(image, [1, height, width, channels]);
  }

  /** An image of the test set, `[H, W, C]` in [−1, 1], and its class. */
  testImage(index: number): { image: Float32Array<ArrayBuffer>; label: number } {
    if (!this.dataset) throw new Error("the test images of this model are not here");
    const { test, maximum } = this.dataset;
    const place = index % test.count;
    const size = imageBytes(this.dataset);
    const bytes = test.bytes.subarray(place * size, (place + 1) * size);
    return { image: pixelsOf(bytes, maximum), label: test.labels[place]! };
  }

  /**
   * A picture from a file as an image `[H, W, 3]` in [−1, 1], for models of colour images.
   * @throws {DataError} naming the file if the browser cannot decode it.
   */
  picture(name: string, file: Blob): Promise<Float32Array<ArrayBuffer>> {
    return pictureImage(name, file, this.checkpoint.images.height);
  }

  /** The model as a file. */
  async serialize(format: ModelFormat): Promise<Uint8Array<ArrayBuffer>> {
    return format === "pt"
      ? serializeOfficial(this.checkpoint)
      : await serializeCheckpoint(modelOnly(this.checkpoint));
  }
}
