import type { Question } from "./question.ts";
import { calibration } from "./questions/calibration.ts";
import { classification } from "./questions/classification.ts";
import { distal } from "./questions/distal.ts";
import { generation } from "./questions/generation.ts";
import { landscape } from "./questions/landscape.ts";
import { outOfDistribution } from "./questions/out_of_distribution.ts";
import { robustness } from "./questions/robustness.ts";
import { sampling } from "./questions/chains.ts";

/** Everything that the report asks of a model, in the order of its sections. */
export const questions: readonly Question[] = [
  classification,
  calibration,
  outOfDistribution,
  robustness,
  generation,
  sampling,
  distal,
  landscape,
];
