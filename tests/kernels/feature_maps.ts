/** Positions of values in feature maps `[batch, height, width, channels]`. */

/** Image, row and column of the pixel with this number. */
export function position(pixel: number, { height, width }: { height: number; width: number }) {
  return {
    image: Math.floor(pixel / (height * width)),
    y: Math.floor(pixel / width) % height,
    x: pixel % width,
  };
}

/** The channels that a kernel should have written, and whether all others are still poisoned. */
export function channelRange(
  output: Float32Array,
  { outOffset, outStride }: { outOffset: number; outStride: number },
  channels: number,
): { values: Float32Array; othersUntouched: boolean } {
  const isInside = (i: number) => i % outStride >= outOffset && i % outStride < outOffset + channels;
  return {
    values: output.filter((_, i) => isInside(i)),
    othersUntouched: output.every((value, i) => isInside(i) || Number.isNaN(value)),
  };
}
