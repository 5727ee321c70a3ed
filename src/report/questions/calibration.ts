import { percent } from "../../evaluate/percent.ts";
import { Draw, stratifiedDraw } from "../../data/draw.ts";
import {
  brierScore,
  crossEntropy,
  expectedCalibrationError,
  fitTemperature,
} from "../../evaluate/calibration.ts";
import { type Classified, selectClassified } from "../../evaluate/classification.ts";
import { reliabilityDiagram } from "../figures.ts";
import { AnswerBuilder, type Question } from "../question.ts";

const bins = 20;

/**
 * Is it as sure as it is right? Calibration errors, Brier score, reliability, and the effect of temperature scaling.
 */
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
      `on ${scaled.images} test images`,
      "as it is",
      `temperature ${scaled.temperature.toFixed(3)}`,
    ], [
      ["expected calibration error", percent(scaled.before.ece), percent(scaled.after.ece)],
      ["cross-entropy", scaled.before.loss.toFixed(4), scaled.after.loss.toFixed(4)],
    ], `The temperature is fitted on the other ${scaled.fittedOn}; each class has its share of both.`);
    await report.plot(
      "reliability",
      reliabilityDiagram(fine),
      "Test images: accuracy by confidence; the points are each bin's means, with 95 % intervals of the accuracy",
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
    return report.answer(results, [["calibration error", percent(fine.value), `n = ${labels.length}`]]);
  },
};

/**
 * Calibration of one half of the images, drawn at random, before and after scaling by the other half's best
 * temperature.
 */
function temperatureScaling(classified: Classified) {
  const order = stratifiedDraw(classified.labels, Infinity, Draw.temperature);
  const half = Math.floor(order.length / 2);
  const [fitted, judged] = [order.subarray(0, half), order.subarray(half)].map((part) => {
    return selectClassified(classified, part.toSorted());
  }) as [Classified, Classified];
  const temperature = fitTemperature(fitted.logits, fitted.labels);
  const { logits, labels } = judged;
  const figures = (t: number) => ({
    ece: expectedCalibrationError(logits.map((logit) => logit / t), labels, bins).value,
    loss: crossEntropy(logits, labels, t),
  });
  return {
    temperature,
    fittedOn: fitted.labels.length,
    images: labels.length,
    before: figures(1),
    after: figures(temperature),
  };
}
