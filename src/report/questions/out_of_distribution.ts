import { percentWithin } from "../../evaluate/percent.ts";
import { type ImageSet, selectImages } from "../../data/dataset.ts";
import { DeviceImages } from "../../data/device_images.ts";
import { Draw, stratifiedDraw } from "../../data/draw.ts";
import { constantImages, interpolatedImages, noiseImages } from "../../data/synthetic.ts";
import { type Interval, shareInterval } from "../../evaluate/proportion.ts";
import { type Separation, separation } from "../../evaluate/ranking.ts";
import { type ImageScores, scoreImages, scoreNames } from "../../evaluate/scores.ts";
import { histograms } from "../figures.ts";
import { AnswerBuilder, intervalNote, type Question, type Subject } from "../question.ts";

type ScoreName = keyof ImageScores;
const scores = Object.keys(scoreNames) as ScoreName[];
/** Most images of noise and constant images; there are as many as test images. */
const syntheticImages = 1000;

/** Does it notice images that are not of its kind? Test images against others, by three scores. */
export const outOfDistribution: Question = {
  name: "outOfDistribution",
  async ask(subject, { seed, otherImages }, progress) {
    const { model, dataset, test, communicator } = subject;
    const sets = comparisons(subject, seed).map(({ name, set }) => ({
      name,
      set: set.count > otherImages
        ? selectImages(set, stratifiedDraw(set.labels, otherImages, Draw.otherSet).toSorted())
        : set,
    }));
    const total = test.count + sets.reduce((sum, { set }) => sum + set.count, 0);
    let done = 0;
    const scored = async (images: DeviceImages) => {
      const result = await scoreImages(model, images, {
        communicator,
        progress: (count) => progress((done + count) / total),
      });
      done += images.count;
      return result;
    };
    const own = await scored(test);
    const densities: Record<string, Float64Array> = { [`${dataset.name} test`]: own.logDensity };
    const results: Record<string, SetResult> = {};
    for (const { name, set } of sets) {
      const other = await scored(new DeviceImages(model.context, dataset, set));
      densities[name] = other.logDensity;
      const by = (score: ScoreName) => {
        const found = separation(own[score], other[score]);
        return { ...found, falsePositiveInterval: shareInterval(found.falsePositiveRate95, set.count) };
      };
      results[name] = {
        images: set.count,
        testImages: test.count,
        logDensity: by("logDensity"),
        confidence: by("confidence"),
        gradientNorm: by("gradientNorm"),
      };
    }
    return await write(results, densities, test.count);
  },
};

/** How well the scores tell the test images from one other set. */
type SetResult = Readonly<Record<ScoreName, Separation & { readonly falsePositiveInterval: Interval }>> & {
  readonly images: number;
  readonly testImages: number;
};

async function write(
  results: Readonly<Record<string, SetResult>>,
  densities: Readonly<Record<string, Float64Array>>,
  count: number,
) {
  const report = new AnswerBuilder("Out-of-distribution detection").text(
    `Area under the ROC curve with the ${count} test images as positives: 1 is perfect, 0.5 is guessing. Below it the ` +
      "average precision, and the share of the others that pass where 95 % of the test images do.",
  );
  const rows = Object.entries(results).flatMap(([name, result]) => [
    [`${name} (${result.images})`, "AUROC", ...scores.map((score) => result[score].auroc.toFixed(4))],
    ["", "AUPR", ...scores.map((score) => result[score].aupr.toFixed(4))],
    [
      "",
      "FPR at 95 % TPR",
      ...scores.map((score) => {
        const { falsePositiveRate95, falsePositiveInterval } = result[score];
        return percentWithin(falsePositiveRate95, falsePositiveInterval);
      }),
    ],
  ]);
  report.table(
    ["against (images)", "", ...scores.map((score) => scoreNames[score])],
    rows,
    `${intervalNote} They take the threshold as given.`,
  );
  await report.plot("log_density", histograms(densities, "log p̃(x)"), "Distribution of log p̃(x)");
  const mean = Object.values(results).reduce(
    (sum, { logDensity }, _, all) => sum + logDensity.auroc / all.length,
    0,
  );
  return report.answer(results, [["mean AUROC by log p̃(x)", mean.toFixed(3)]]);
}

/** What the test images are compared with. */
function comparisons({ dataset, others }: Subject, seed: number): { name: string; set: ImageSet }[] {
  const count = Math.min(syntheticImages, dataset.test.count);
  return [
    ...others,
    { name: "interpolations", set: interpolatedImages(dataset) },
    { name: "uniform noise", set: noiseImages(dataset, count, seed) },
    { name: "constant images", set: constantImages(dataset, count, seed) },
  ];
}
