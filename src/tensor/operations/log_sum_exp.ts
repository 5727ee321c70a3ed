import { logSumExp as logSumExpKernel, logSumExpBackward } from "../../kernels/loss/log_sum_exp.ts";
import type { Tensor } from "../tensor.ts";

/** log Σ_j exp x[i, j] for each row i: `[N, C]` → `[N]`. */
export function logSumExp(logits: Tensor): Tensor {
  const { context } = logits;
  const [rows = 0, columns = 0] = logits.shape;
  const values = context.empty([rows]);
  context.launch(logSumExpKernel, { rows, columns }, { logits, values });
  const tape = context.tape;
  tape?.record([logits], values, [logits, values], (valueGradient) => {
    const { gradient: logitsGradient, accumulate } = tape.target(logits)!;
    context.launch(logSumExpBackward, { rows, columns, accumulate }, {
      logits,
      values,
      valueGradient,
      logitsGradient,
    });
  });
  return values;
}
