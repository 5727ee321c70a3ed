import { extractFeatures, FloatImages } from "../../evaluate/features.ts";
import { frechetDistance, gaussianStatistics } from "../../evaluate/frechet.ts";
import { bestOfClasses, inceptionScore, kernelDistance } from "../../evaluate/generation.ts";
import { largestOfRows, softmaxRows } from "../../evaluate/probabilities.ts";
import { scoreImages } from "../../evaluate/scores.ts";
import { imageGrid } from "../../formats/image_grid.ts";
import { encodePng } from "../../formats/png.ts";
import { hasReplayImages, replayImages } from "../../train/checkpoint.ts";
import { type InceptionResults, inceptionResults } from "./inception.ts";
import { AnswerBuilder, type Question, type Subject } from "../question.ts";

/** Pictures of each class. */
const perClass = 10;
const mostClasses = 10;
const splits = 10;
const kernelOptions = { subsets: 20, subsetSize: 500 };

/** How good are its images? The replay buffer, classified by the model itself, against the training images. */
export const generation: Question = {
  name: "generation",
  async ask(subject, { seed, generatedImages, inception }, progress) {
    const { model, train, checkpoint, referee } = subject;
    if (!hasReplayImages(checkpoint)) return undefined;
    const { data, shape } = replayImages(checkpoint);
    const [height = 0, width = 0, channels = 0] = shape.slice(1);
    const pixels = height * width * channels;
    const count = Math.min(shape[0]!, generatedImages);
    const samples = data.slice(0, count * pixels);
    const images = new FloatImages(model.context, samples, [height, width, channels]);
    const total = 2 * count + train.count;
    const judge = referee?.model ?? model;
    const judged = await extractFeatures(judge, images, (done) => progress(done / total));
    const scores = await scoreImages(model, images, (done) => progress((count + done) / total));
    const real = await extractFeatures(judge, train, (done) => progress((2 * count + done) / total));
    const { classes } = model.architecture;
    const own = judge === model ? judged : await extractFeatures(model, images);
    const statistics = [judged, real].map(({ features, size }) => gaussianStatistics(features, size));
    const results = {
      images: count,
      featuresOf: referee?.name ?? "the model itself",
      frechetClassifierDistance: frechetDistance(statistics[0]!, statistics[1]!),
      kernelClassifierDistance: kernelDistance(judged.features, real.features, judged.size, {
        ...kernelOptions,
        seed,
      }),
      classifierScore: inceptionScore(softmaxRows(judged.logits, classes), classes, splits),
    };
    const report = new AnswerBuilder("Generation").table(["samples of the replay buffer", ""], [
      ["images", String(count)],
      ["Fréchet classifier distance", results.frechetClassifierDistance.toFixed(3)],
      ["kernel classifier distance", spread(results.kernelClassifierDistance)],
      ["classifier score", spread(results.classifierScore)],
    ], note(results.featuresOf));
    const official = inception &&
      await inceptionResults(subject, samples, own.logits, inception, seed, progress);
    if (official) addInception(report, official);
    else report.text(noInception);
    const confidences = largestOfRows(softmaxRows(own.logits, classes), classes).values;
    report.picture(
      "best_by_class",
      sheet(subject, samples, own.logits, confidences),
      "Each class's samples, the highest p(y|x) first",
    )
      .picture(
        "best_by_density",
        sheet(subject, samples, own.logits, scores.logDensity),
        "The same, the highest log p̃(x) first",
      );
    return report.answer({ ...results, inception: official }, [
      ...(official ? [["FID", official.fid.toFixed(2)] as const] : []),
      [
        "Fréchet classifier distance",
        results.frechetClassifierDistance.toFixed(2),
      ],
    ]);
  },
};

const noInception = "FID, KID and Inception Score need Inception-v3 with the standard FID weights " +
  "(pt_inception-2015-12-05-6726825d.pth): --inception FILE.";

function addInception(report: AnswerBuilder, results: InceptionResults): void {
  const { fid, fidImages, kid, inceptionScore, inceptionScoreImages, convention } = results;
  report.table(["Inception-v3", "", "images"], [
    ["FID", fid.toFixed(3), String(fidImages)],
    ...(kid ? [["KID", spread(kid), String(fidImages)]] : []),
    ...(inceptionScore ? [["Inception Score", spread(inceptionScore), String(inceptionScoreImages)]] : []),
  ], convention);
}

function note(featuresOf: string): string {
  return `Distances to the training images in the pooled features of ${featuresOf}, and the Inception Score's formula with its ` +
    "p(y|x). They are no FID, KID or Inception Score, and comparable only where the features are the same.";
}

function spread({ mean, deviation }: { readonly mean: number; readonly deviation: number }): string {
  return `${mean.toFixed(3)} ± ${deviation.toFixed(3)}`;
}

/** A row of samples for each class that the model assigns, the best first. */
function sheet(
  { dataset: { height, width, channels, classNames } }: Subject,
  samples: Float32Array,
  logits: Float32Array,
  scores: ArrayLike<number>,
): Uint8Array {
  const pixels = height * width * channels;
  const rows = Math.min(classNames.length, mostClasses);
  const images = new Float32Array(rows * perClass * pixels);
  bestOfClasses(logits, scores, classNames.length, 1).slice(0, rows).forEach((list, row) => {
    list.slice(0, perClass).forEach((index, column) => {
      images.set(samples.subarray(index * pixels, (index + 1) * pixels), (row * perClass + column) * pixels);
    });
  });
  const shape = { count: rows * perClass, height, width, channels };
  return encodePng(imageGrid(images, shape, { columns: perClass }));
}
