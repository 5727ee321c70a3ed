import { reportFields, reportValues } from "../../jem/training_step.ts";
import type { Context } from "../../tensor/context.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { IterationReport } from "./report.ts";

/** Number of iterations whose reports the GPU keeps until they are fetched. */
export const reportCapacity = 64;

/** The reports of the last iterations, on the GPU. */
export class Reports {
  /** float32 `[capacity, fields]`; an iteration's row is its number modulo the capacity. */
  readonly rows: Tensor;
  #fetched = 0;

  constructor(context: Context) {
    this.rows = context.zeros([reportCapacity, reportFields.length]).disown();
  }

  /** Continues at an iteration. */
  restart(iteration: number): void {
    this.#fetched = iteration;
  }

  /**
   * Checks that there is room for the report of an iteration.
   * @throws {Error} if too many reports have not been fetched.
   */
  requireRoom(iteration: number): void {
    if (iteration - this.#fetched < reportCapacity) return;
    throw new Error(`more than ${reportCapacity} iterations without fetching their reports`);
  }

  /** Records a copy of an iteration's report. */
  keep(iteration: number, report: Tensor): void {
    const { buffer, offset } = this.rows.range();
    const size = reportFields.length * 4;
    const row = iteration % reportCapacity;
    report.context.gpu.copy({ ...report.range(), size }, { buffer, offset: offset + row * size, size });
  }

  /**
   * The reports that have not been taken yet.
   * @param rows the contents of {@link rows}
   * @param iteration the first iteration without a report
   */
  take(
    rows: Float32Array,
    iteration: number,
    learningRate: (iteration: number) => number,
  ): IterationReport[] {
    const reports: IterationReport[] = [];
    for (; this.#fetched < iteration; this.#fetched++) {
      const start = this.#fetched % reportCapacity * reportFields.length;
      reports.push({
        iteration: this.#fetched,
        learningRate: learningRate(this.#fetched),
        ...reportValues(rows.subarray(start, start + reportFields.length)),
      });
    }
    return reports;
  }
}
