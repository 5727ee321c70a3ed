import type { CurveName } from "../../src/train/run/metrics_reader.ts";

/** One of a chart's curves: solid, dashed or as points that a line joins. */
export interface CurveStyle {
  readonly curve: CurveName;
  /** Its name, if a chart has several. */
  readonly label: string;
  readonly style: "solid" | "dashed" | "points";
}

/** The curves of a chart, for every run. */
export interface ChartDescription {
  readonly title: string;
  /** The unit or meaning of the values, in small print. */
  readonly unit: string;
  /** Whether its values are shares, which need no logarithmic scale. */
  readonly ofShares?: true;
  /** Whether its values have no noise to smooth. */
  readonly isExact?: true;
  readonly curves: readonly CurveStyle[];
}

/** The charts, in order. */
export const charts: readonly ChartDescription[] = [
  {
    title: "Accuracy",
    unit: "share of images classified right",
    ofShares: true,
    curves: [
      { curve: "accuracy", label: "training batch", style: "solid" },
      { curve: "validationAccuracy", label: "held out", style: "dashed" },
      { curve: "testAccuracy", label: "test", style: "points" },
    ],
  },
  {
    title: "Energy",
    unit: "mean E(x), nats",
    curves: [
      { curve: "realEnergy", label: "real images", style: "solid" },
      { curve: "generatedEnergy", label: "generated images", style: "dashed" },
    ],
  },
  { title: "Loss", unit: "of the objective", curves: [{ curve: "loss", label: "loss", style: "solid" }] },
  {
    title: "Cross-entropy",
    unit: "nats",
    curves: [
      { curve: "crossEntropy", label: "training batch", style: "solid" },
      { curve: "validationLoss", label: "held out", style: "dashed" },
      { curve: "testLoss", label: "test", style: "points" },
    ],
  },
  {
    title: "Gradient norm",
    unit: "before the ascent",
    curves: [{ curve: "gradientNorm", label: "gradient norm", style: "solid" }],
  },
  {
    title: "Speed",
    unit: "images/s",
    curves: [{ curve: "imagesPerSecond", label: "images/s", style: "solid" }],
  },
  {
    title: "Learning rate",
    unit: "per iteration",
    isExact: true,
    curves: [{ curve: "learningRate", label: "learning rate", style: "solid" }],
  },
];
