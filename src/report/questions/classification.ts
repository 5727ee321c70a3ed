import {
  accuracyAndLoss,
  classAccuracies,
  type Classified,
  classifyImages,
  confusionMatrix,
} from "../../evaluate/classification.ts";
import { confusionFigure } from "../figures.ts";
import { percent } from "../percent.ts";
import { AnswerBuilder, type Question } from "../question.ts";

/** How often is it right? Accuracy and cross-entropy, by class, and what is taken for what. */
export const classification: Question = {
  name: "classification",
  async ask({ model, dataset, test, train, classifiedTest }, _options, progress) {
    const total = test.count + train.count;
    const onTest = await classifiedTest();
    const onTrain = await classifyImages(model, train, (done) => progress((test.count + done) / total));
    const [testResult, trainResult] = [onTest, onTrain].map(summary);
    const matrix = confusionMatrix(onTest);
    const accuracies = classAccuracies(matrix);
    const report = new AnswerBuilder("Classification").table(["", "test", "training"], [
      ["images", String(test.count), String(train.count)],
      ["accuracy", percent(testResult!.accuracy), percent(trainResult!.accuracy)],
      ["cross-entropy", testResult!.loss.toFixed(4), trainResult!.loss.toFixed(4)],
    ]);
    await report.plot(
      "confusion",
      confusionFigure(matrix, dataset.classNames),
      "Test images: class and prediction",
    );
    if (dataset.classNames.length <= 20) {
      const rows = dataset.classNames.map((name, label) => [name, percent(accuracies[label]!)]);
      report.table(["class", "accuracy"], rows);
    }
    return report.answer(
      { test: testResult, train: trainResult, classAccuracies: accuracies, confusion: matrix },
      [["test accuracy", percent(testResult!.accuracy)]],
    );
  },
};

function summary(classified: Classified) {
  return { images: classified.labels.length, ...accuracyAndLoss(classified) };
}
