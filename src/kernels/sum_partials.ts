import wgsl from "../../shaders/sum_partials.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";

/** Parts of a sum of vectors. */
export interface SumPartialsShape {
  readonly partials: number;
  readonly length: number;
  /** Add to what is there. */
  readonly accumulate: boolean;
}

/** Second stage of a reduction: sum (=|+=) Σ_p partials[p], in fixed order; `[partials, length]` → `[length]`. */
export const sumPartials: Kernel<SumPartialsShape, "partials" | "sum"> = {
  name: "sum_partials",
  wgsl,
  bindings: [
    { name: "partials", access: "read", bytes: ({ partials, length }) => bytes32(partials * length) },
    { name: "sum", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ partials, length, accumulate }) => {
    requireShape(
      partials <= 65_535,
      "sum_partials",
      `${partials} parts; at most 65,535 are summed by one loop`,
    );
    return { count: partials, length, accumulate: Number(accumulate) };
  },
  workgroups: ({ length }) => foldWorkgroups(length),
};
