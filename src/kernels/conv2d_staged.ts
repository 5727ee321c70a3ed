import { foldWorkgroups } from "./kernel.ts";

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Pixels and channels that an invocation computes, as the shader defines them. */
const pixelsPerThread = 8;
const channelsPerThread = 8;
/** Widest tile, in channels: it divides the 160, 320 and 640 channels of WRN-28-10. */
const widestTile = 80;
/** Tiles of few channels have more pixels, and stage fewer source channels at a time: 16 KiB hold any of them. */
const narrow = { channels: 16, pixels: 256, vectorsPerStep: 2 } as const;
const wide = { pixels: 128, vectorsPerStep: 4 } as const;

/** Constants that the shaders for both directions of a convolution take. */
export function productConstants(
  source: Size,
  sourceChannels: number,
  result: Size,
  resultChannels: number,
  geometry: { readonly kernel: number; readonly stride: number; readonly padding: number },
): Record<string, number> {
  const { kernel, stride, padding } = geometry;
  return {
    sourceHeight: source.height,
    sourceWidth: source.width,
    sourceChannels,
    height: result.height,
    width: result.width,
    resultChannels,
    kernel,
    stride,
    padding,
  };
}

/** Constants that fix a tile: the fewest channel tiles, each no wider than the channels need. */
export function stagedTile(
  channels: number,
): { pixelThreads: number; channelThreads: number; vectorsPerStep: number } {
  const tiles = Math.ceil(channels / widestTile);
  const channelThreads = Math.ceil(channels / tiles / channelsPerThread);
  const { pixels, vectorsPerStep } = channelThreads * channelsPerThread <= narrow.channels ? narrow : wide;
  return { pixelThreads: pixels / pixelsPerThread, channelThreads, vectorsPerStep };
}

/** Workgroups for `phases` phases of so many pixels each. */
export function stagedWorkgroups(
  pixels: number,
  phases: number,
  channels: number,
): [number, number, number] {
  const { pixelThreads, channelThreads } = stagedTile(channels);
  const pixelTiles = Math.ceil(pixels / (pixelThreads * pixelsPerThread));
  return foldWorkgroups(phases * pixelTiles * Math.ceil(channels / (channelThreads * channelsPerThread)), 1);
}
