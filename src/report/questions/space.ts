import { inBatches } from "../../distributed/batches.ts";
import { batchSize, extractFeatures, type Features, type ImageSource } from "../../evaluate/features.ts";
import { toByte } from "../../formats/pictures/image_grid.ts";
import { itself, type QuestionOptions, type Subject } from "../question.ts";
import type { InceptionExtractor } from "./inception.ts";

/** How images are compared when their nearest neighbours are sought. */
export interface Space {
  /** In words, which also tell what is comparable: for example "pixels". */
  readonly name: string;
  /** What a reader must know about it. */
  readonly caution?: string;
  /** Coordinates of every image of a set, `[n, dimension]`. */
  coordinates(images: ImageSource): Promise<Coordinates>;
}

/** Coordinates of images in a space. */
export interface Coordinates {
  /** `[n, dimension]` */
  readonly features: Float32Array;
  readonly dimension: number;
}

/**
 * Most values of an image whose pixels are compared: 32 × 32 in grey. Larger images are close in pixels if they are
 * smooth.
 */
const mostPixels = 1024;

/** Features that have already served to compare samples and training images. */
export interface Judged {
  readonly model: Subject["model"];
  readonly samples: readonly [ImageSource, Features];
  readonly training: readonly [ImageSource, Features];
}

/**
 * The space for neighbours: pixels of small images, in which no model has a part; otherwise the features of
 * Inception-v3, which FID compares; otherwise those of the referee; otherwise the model's own.
 * @returns the reason if there is none
 */
export function chooseSpace(
  { model, train: { shape: [height, width, channels] }, referee, communicator }: Subject,
  { inception }: QuestionOptions,
  inceptionFeatures: InceptionExtractor | undefined,
  judged: Judged,
): Space | string {
  if (height * width * channels <= mostPixels) {
    return { name: "pixels of 8 bits", coordinates: once(pixelsOf) };
  }
  if (inception?.statistics) {
    return "Precision, recall, density, coverage and nearest training images need the real images' features; " +
      "leave out --fid-statistics.";
  }
  if (inceptionFeatures) {
    const coordinates = once(async (images) => {
      const { pool3, dimension } = await inceptionFeatures(images, "8-bit");
      return { features: pool3, dimension };
    });
    return { name: "features of Inception-v3, as FID", coordinates };
  }
  const known = new Map<ImageSource, Features>([judged.samples, judged.training]);
  const coordinates = once(async (images) => {
    const { features, size } = known.get(images) ??
      await extractFeatures(judged.model, images, { communicator });
    return { features, dimension: size };
  });
  if (judged.model !== model) return { name: `features of ${referee?.name}`, coordinates };
  return {
    name: `features of ${itself}`,
    caution:
      "Neighbours are sought in the model's own features. Its chains ascend a density that is computed from " +
      "them, so samples can lie among real images there and look unlike them. These figures are comparable with no " +
      "other model's: give the weights of Inception-v3 (--inception) or another classifier (--referee).",
    coordinates,
  };
}

/** Computes the coordinates of each set once. */
function once(compute: Space["coordinates"]): Space["coordinates"] {
  const known = new Map<ImageSource, Promise<Coordinates>>();
  return (images) => {
    const found = known.get(images) ?? compute(images);
    known.set(images, found);
    return found;
  };
}

/** Pixels as an 8-bit picture shows them, from 0 to 255. Squared distances of integers are exact, and so are ties. */
async function pixelsOf(images: ImageSource): Promise<Coordinates> {
  const [features] = await inBatches(images.count, batchSize, async (start, size) => {
    using batch = images.range(start, size);
    return [(await batch.read()).map((value) => toByte(value))];
  });
  return { features, dimension: features.length / images.count };
}
