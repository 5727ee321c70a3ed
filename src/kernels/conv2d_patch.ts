import type { Conv2dShape } from "./conv2d_shape.ts";
import { foldWorkgroups, requireShape } from "./kernel.ts";

/** Pixels of a tile, as the shader defines it. */
const tile = { height: 8, width: 4 } as const;
/** Channels of a tile. */
const tileChannels = 8;

/** Constants of the patches' shader that lie in its uniform buffer. */
export const patchUniforms = [
  "sourceHeight",
  "sourceWidth",
  "sourceChannels",
  "height",
  "width",
  "resultChannels",
  "padding",
];

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Whether `conv2dForwardPatch` and `conv2dGradientInputPatch` can compute a convolution: 3×3, stride 1, channels in fours. */
export function takesPatches({ kernel, stride, padding, inChannels, outChannels }: Conv2dShape): boolean {
  return kernel === 3 && stride === 1 && padding <= 2 && inChannels % 4 === 0 && outChannels % 4 === 0;
}

/** Whether they can, and the map fills half of their tiles. */
export function suitsPatches(shape: Conv2dShape): boolean {
  const { height, width } = shape;
  const covered = tileCount(shape) * tile.height * tile.width;
  return takesPatches(shape) && covered <= 2 * height * width;
}

function tileCount({ height, width }: Size): number {
  return Math.ceil(height / tile.height) * Math.ceil(width / tile.width);
}

/**
 * Constants of the patches' shader but for the padding, which differs between the directions.
 * @throws {RangeError} if the shape is not supported.
 */
export function patchConstants(
  shape: Conv2dShape,
  source: Size,
  sourceChannels: number,
  result: Size,
  resultChannels: number,
): Record<string, number> {
  requireShape(
    takesPatches(shape),
    "conv2d_patch",
    `kernel ${shape.kernel}, stride ${shape.stride}, padding ${shape.padding}, ` +
      `${shape.inChannels} input and ${shape.outChannels} output channels`,
  );
  return {
    sourceHeight: source.height,
    sourceWidth: source.width,
    sourceChannels,
    height: result.height,
    width: result.width,
    resultChannels,
  };
}

/** Workgroups for a result of this size. */
export function patchWorkgroups(batch: number, size: Size, channels: number): [number, number, number] {
  return foldWorkgroups(batch * tileCount(size) * Math.ceil(channels / tileChannels), 8);
}
