import type { ImageSet } from "../../data/dataset.ts";
import { firstImages } from "../../data/dataset.ts";
import { DeviceImages } from "../../data/device_images.ts";
import { constantImages, interpolatedImages, noiseImages } from "../../data/synthetic.ts";
import { type Separation, separation } from "../../evaluate/ranking.ts";
import { type ImageScores, scoreImages, scoreNames } from "../../evaluate/scores.ts";
import { histograms } from "../figures.ts";
import { percent } from "../percent.ts";
import { AnswerBuilder, type Question, type Subject } from "../question.ts";

type ScoreName = keyof ImageScores;
const scores = Object.keys(scoreNames) as ScoreName[];
/** Noise and constant images, as many as there are test images at most. */
const syntheticImages = 1000;

/** Does it notice what is not of its kind? Test images against others, by three scores. */
export const outOfDistribution: Question = {
  name: "outOfDistribution",
  async ask(subject, { seed, otherImages }, progress) {
    const { model, dataset, test } = subject;
    const sets = comparisons(subject, seed).map(({ name, set }) => ({
      name,
      set: firstImages(set, otherImages),
    }));
    const total = test.count + sets.reduce((sum, { set }) => sum + set.count, 0);
    let done = 0;
    const scored = async (images: DeviceImages) => {
      const result = await scoreImages(model, images, (count) => progress((done + count) / total));
      done += images.count;
      return result;
    };
    const own = await scored(test);
    const densities: Record<string, Float64Array> = { [`${dataset.name} test`]: own.logDensity };
    const results: Record<string, Record<ScoreName, Separation> & { images: number }> = {};
    for (const { name, set } of sets) {
      const other = await scored(new DeviceImages(model.context, dataset, set));
      densities[name] = other.logDensity;
      const by = (score: ScoreName) => separation(own[score], other[score]);
      results[name] = {
        images: set.count,
        logDensity: by("logDensity"),
        confidence: by("confidence"),
        gradientNorm: by("gradientNorm"),
      };
    }
    return await write(results, densities, test.count);
  },
};

async function write(
  results: Readonly<Record<string, Record<ScoreName, Separation> & { images: number }>>,
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
    ["", "FPR at 95 % TPR", ...scores.map((score) => percent(result[score].falsePositiveRate95))],
  ]);
  report.table(["against", "", ...scores.map((score) => scoreNames[score])], rows);
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
