import { fitColumns as fitKernel } from "../../kernels/vector/fit_columns.ts";
import { assertShapes, type Tensor } from "../tensor.ts";

/**
 * The elements as rows of `columns` values, each padded with zeros or cut to another width. The result has the given
 * shape.
 * @param shape must hold as many rows as `x` has
 * @throws {ShapeError} unless the widths divide the sizes into the same number of rows.
 */
export function fitColumns(
  x: Tensor,
  columns: number,
  shape: readonly number[],
  fittedColumns: number,
): Tensor {
  const { context } = x;
  const fitted = context.empty(shape);
  const rows = x.size / columns;
  assertShapes(
    Number.isInteger(rows) && rows * fittedColumns === fitted.size,
    `rows of ${columns} and of ${fittedColumns} must be equally many`,
    x,
    fitted,
  );
  const widths = { rows, sourceColumns: columns, fittedColumns };
  context.launch(fitKernel, { ...widths, accumulate: false }, { source: x, fitted });
  const tape = context.tape;
  tape?.record([x], fitted, [], (fittedGradient) => {
    const { gradient, accumulate } = tape.target(x)!;
    const back = { rows, sourceColumns: fittedColumns, fittedColumns: columns, accumulate };
    context.launch(fitKernel, back, { source: fittedGradient, fitted: gradient });
  });
  return fitted;
}
