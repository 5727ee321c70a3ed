import type { ReportField } from "../jem/training_step.ts";

/**
 * What an iteration reported; NaN where a field does not apply. Of several shards these are means over them, but for SAM's
 * gradient norm with global ascent, which is that of the mean gradient.
 */
export type IterationReport = Readonly<Record<ReportField | "iteration" | "learningRate", number>>;
