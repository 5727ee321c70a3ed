import { percentWithin } from "../../evaluate/percent.ts";
import {
  accuracyAndLoss,
  type Classified,
  classifyImages,
  type ClassResult,
  classResults,
  confusionMatrix,
} from "../../evaluate/classification.ts";
import { missingClasses } from "../../data/subsets.ts";
import { confusionFigure } from "../figures.ts";
import { AnswerBuilder, intervalNote, keyProportion, type Question } from "../question.ts";

/** How often is it right? Accuracy and cross-entropy, by class, and the confusion of classes. */
export const classification: Question = {
  name: "classification",
  async ask({ model, dataset, test, train, classifiedTest, communicator }, _options, progress) {
    const total = test.count + train.count;
    const onTest = await classifiedTest();
    const onTrain = await classifyImages(model, train, {
      communicator,
      progress: (done) => progress((test.count + done) / total),
    });
    const [testResult, trainResult] = [onTest, onTrain].map(summary);
    const matrix = confusionMatrix(onTest);
    const classes = classResults(matrix);
    const report = new AnswerBuilder("Classification").table(["", "test", "training"], [
      ["images", String(test.count), String(train.count)],
      ["accuracy", ...[testResult!, trainResult!].map((r) => percentWithin(r.accuracy, r.accuracyInterval))],
      ["cross-entropy", testResult!.loss.toFixed(4), trainResult!.loss.toFixed(4)],
    ], intervalNote);
    for (const warning of missingClasses(dataset)) report.warning(warning);
    await report.plot(
      "confusion",
      confusionFigure(matrix, dataset.classNames),
      "Test images: class and prediction",
    );
    if (dataset.classNames.length <= 20) {
      const rows = dataset.classNames.map((name, label) => classRow(name, classes[label]!));
      report.table(["class", "test images", "accuracy"], rows, intervalNote);
    }
    const { accuracy, accuracyInterval, images } = testResult!;
    return report.answer({
      test: testResult,
      train: trainResult,
      classAccuracies: classes.map(({ accuracy }) => accuracy),
      classIntervals: classes.map(({ interval }) => interval),
      classImages: classes.map(({ images }) => images),
      confusion: matrix,
    }, [keyProportion("test accuracy", accuracy, accuracyInterval, images)]);
  },
};

function classRow(name: string, { images, accuracy, interval }: ClassResult): string[] {
  return [name, String(images), images === 0 ? "–" : percentWithin(accuracy, interval)];
}

function summary(classified: Classified) {
  return { images: classified.labels.length, ...accuracyAndLoss(classified) };
}
