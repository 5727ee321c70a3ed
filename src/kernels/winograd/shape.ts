import { requireShape } from "../kernel.ts";

/**
 * Outputs m along each side of a tile of Winograd's convolution F(m×m, 3×3). A tile has (m + 2)² inputs, and takes as
 * many multiplications for m² outputs of 9 products each: 2.25 times fewer for 2, and 4 times fewer for 4.
 */
export type WinogradOutputs = 2 | 4;

/** Number of tiles that cover results of this size. */
export function winogradTiles(
  { batch, height, width }: { readonly batch: number; readonly height: number; readonly width: number },
  outputs: WinogradOutputs,
): { rows: number; columns: number; count: number } {
  const rows = Math.ceil(height / outputs);
  const columns = Math.ceil(width / outputs);
  return { rows, columns, count: batch * rows * columns };
}

/** Values in a transformed tile, which is also the number of matrix products in a convolution: (m + 2)². */
export function winogradValues(outputs: WinogradOutputs): number {
  return (outputs + 2) ** 2;
}

/** The shaders' entry point for a number of outputs. */
export function winogradEntryPoint({ outputs }: { readonly outputs: WinogradOutputs }): string {
  return outputs === 2 ? "two" : "four";
}

/** @throws {RangeError} unless the channels are a multiple of 4. */
export function requireFourChannels(channels: number): void {
  requireShape(channels % 4 === 0, "winograd", `channels must be a multiple of 4, not ${channels}`);
}
