import type { DeviceImages } from "../data/device_images.ts";
import { expectedCalibrationError } from "../evaluate/calibration.ts";
import { accuracyAndLoss, classifyImages } from "../evaluate/classification.ts";
import type { Interval } from "../evaluate/proportion.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";

/** Bins of the calibration error, as the official code reports it. */
const calibrationBins = 20;

/** The images that a model is tested on during training: the test set, or the held-out training images. */
export type TestedSet = "test" | "validation";

/** Accuracy, mean cross-entropy (nats) and expected calibration error on the test set. */
export interface TestResult {
  readonly testAccuracy: number;
  /** 95 % interval of the accuracy. */
  readonly testAccuracyInterval: Interval;
  readonly testImages: number;
  readonly testLoss: number;
  readonly ece: number;
}

/** Tests a model on images. */
export async function testModel(model: WideResNet, images: DeviceImages): Promise<TestResult> {
  const classified = await classifyImages(model, images);
  const { accuracy, accuracyInterval, loss } = accuracyAndLoss(classified);
  const { value } = expectedCalibrationError(classified.logits, classified.labels, calibrationBins);
  return {
    testAccuracy: accuracy,
    testAccuracyInterval: accuracyInterval,
    testImages: images.count,
    testLoss: loss,
    ece: value,
  };
}
