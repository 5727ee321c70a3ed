import { matrixShader, type MatrixUnits, matrixWorkgroups } from "../conv2d/matrix.ts";
import { productConstants } from "../conv2d/staged.ts";
import { winogradProduct, type WinogradProductShape } from "./product.ts";
import { requireFourChannels } from "./shape.ts";
import type { Kernel } from "../kernel.ts";

/**
 * `winogradProduct` by matrix units. Both factors are rounded to float16, the left one times `scale`, a power of two
 * that the sums are divided by again. Sums are float32. Magnitudes above 65,504 become infinite.
 * @throws {RangeError} unless `inner` and `columns` are multiples of 4.
 */
export function winogradProductMatrix(
  units: MatrixUnits,
  scale: number,
): Kernel<WinogradProductShape, "left" | "right" | "product"> {
  const { bindings } = winogradProduct;
  return {
    name: "winograd_product_matrix",
    wgsl: matrixShader(units),
    entryPoint: "gradientInput",
    bindings,
    constants: ({ products, rows, inner, columns }) => {
      requireFourChannels(inner);
      requireFourChannels(columns);
      const size = { height: rows, width: 1 };
      const taps = { kernel: 1, stride: 1, padding: 0 };
      return { ...productConstants(size, inner, size, columns, taps), weightSets: products, scale };
    },
    workgroups: ({ products, rows, columns }) => matrixWorkgroups(units, rows, products, columns),
  };
}
