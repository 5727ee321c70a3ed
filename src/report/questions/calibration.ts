import {
  brierScore,
  crossEntropy,
  expectedCalibrationError,
  fitTemperature,
} from "../../evaluate/calibration.ts";
import type { Classified } from "../../evaluate/classification.ts";
import { reliabilityDiagram } from "../figures.ts";
import { percent } from "../percent.ts";
import { AnswerBuilder, type Question } from "../question.ts";

const bins = 20;

/** Is it as sure as it is right? Calibration errors, Brier score, reliability, and what temperature scaling would give. */
export const calibration: Question = {
  name: "calibration",
  async ask({ classifiedTest }) {
    const classified = await classifiedTest();
    const { logits, labels } = classified;
    const fine = expectedCalibrationError(logits, labels, bins);
    const coarse = expectedCalibrationError(logits, labels, 15);
    const brier = brierScore(logits, labels);
    const scaled = temperatureScaling(classified);
    const report = new AnswerBuilder("Calibration").table(["", "15 bins", "20 bins"], [
      ["expected calibration error", percent(coarse.value), percent(fine.value)],
      ["maximum calibration error", percent(coarse.maximum), percent(fine.maximum)],
    ], `Brier score ${brier.toFixed(4)}`).table([
      "on half of the test images",
      "as it is",
      `temperature ${scaled.temperature.toFixed(3)}`,
    ], [
      ["expected calibration error", percent(scaled.before.ece), percent(scaled.after.ece)],
      ["cross-entropy", scaled.before.loss.toFixed(4), scaled.after.loss.toFixed(4)],
    ], "The temperature is fitted on the other half.");
    await report.plot(
      "reliability",
      reliabilityDiagram(fine),
      "Test images: accuracy by confidence; the points are each bin's means",
    );
    const results = {
      ece15: coarse.value,
      ece20: fine.value,
      mce15: coarse.maximum,
      mce20: fine.maximum,
      brier,
      temperatureScaling: scaled,
      bins: fine.bins,
    };
    return report.answer(results, [["calibration error", percent(fine.value)]]);
  },
};

/** Calibration of the second half of the images before and after scaling by the first half's best temperature. */
function temperatureScaling({ logits, labels, classes }: Classified) {
  const half = Math.floor(labels.length / 2);
  const temperature = fitTemperature(logits.subarray(0, half * classes), labels.subarray(0, half));
  const [rest, truth] = [logits.subarray(half * classes), labels.subarray(half)];
  const figures = (t: number) => ({
    ece: expectedCalibrationError(rest.map((logit) => logit / t), truth, bins).value,
    loss: crossEntropy(rest, truth, t),
  });
  return { temperature, before: figures(1), after: figures(temperature) };
}
