import { selectColumn as selectKernel, selectColumnBackward } from "../../kernels/loss/select_column.ts";
import { assertShapes, type Tensor } from "../tensor.ts";

/**
 * logits[i, labels[i]] for each row i: `[N, C]` → `[N]`.
 * @throws {ShapeError} unless there is one uint32 label for each row.
 */
export function selectColumn(logits: Tensor, labels: Tensor): Tensor {
  const [rows = 0, columns = 0] = logits.shape;
  assertShapes(
    labels.type === "uint32" && labels.size === rows,
    "selection takes [N, C] and uint32 labels [N]",
    logits,
    labels,
  );
  const { context } = logits;
  const values = context.empty([rows]);
  context.launch(selectKernel, { rows, columns }, { logits, labels, values });
  const tape = context.tape;
  tape?.record([logits], values, [labels], (valueGradient) => {
    const { gradient: logitsGradient, accumulate } = tape.target(logits)!;
    context.launch(selectColumnBackward, { rows, columns, accumulate }, {
      labels,
      valueGradient,
      logitsGradient,
    });
  });
  return values;
}
