import type { ReportField } from "../../jem/training_step.ts";

/**
 * The report of an iteration; NaN where a field does not apply. With several shards these are means over the shards,
 * except for SAM's gradient norm with global ascent, which is that of the mean gradient.
 */
export type IterationReport = Readonly<Record<ReportField | "iteration" | "learningRate", number>>;
