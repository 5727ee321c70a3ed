import type { ReportField } from "../jem/training_step.ts";

/** What an iteration reported; NaN where a field does not apply. */
export type IterationReport = Readonly<Record<ReportField | "iteration" | "learningRate", number>>;
