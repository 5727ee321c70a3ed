import { foldWorkgroups } from "./kernel.ts";

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Pixels and channels that an invocation computes, as the shader defines them. */
const pixelsPerThread = 8;
const channelsPerThread = 8;

/** What a workgroup computes at once: so many pixels, and at most so many channels. Both are multiples of 8. */
export interface StagedTile {
  readonly pixels: number;
  readonly channels: number;
}

/** Vectors that fit into the 16 KiB of workgroup memory that WebGPU guarantees. */
const workgroupVectors = 1024;
/** Vectors of a place, as the shader defines it. */
const placeVectors = 9;
/** 80 channels divide the 160, 320 and 640 of WRN-28-10. */
const wide: StagedTile = { pixels: 128, channels: 80 };
const narrow: StagedTile = { pixels: 256, channels: 16 };

/** The tile for so many result channels unless another is asked for. */
export function defaultTile(channels: number): StagedTile {
  return channels <= narrow.channels ? narrow : wide;
}

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

/** Constants that fix a tile: the fewest that cover the channels, each no wider than they need. */
export function stagedTile(
  { pixels, channels: widest }: StagedTile,
  channels: number,
): { pixelThreads: number; channelThreads: number; vectorsPerStep: number } {
  const tiles = Math.ceil(channels / widest);
  const pixelThreads = pixels / pixelsPerThread;
  const channelThreads = Math.ceil(channels / tiles / channelsPerThread);
  return { pixelThreads, channelThreads, vectorsPerStep: vectorsPerStep(pixelThreads, channelThreads) };
}

/** Vectors of source channels a step: as many as four loads of each invocation bring and workgroup memory holds. */
function vectorsPerStep(pixelThreads: number, channelThreads: number): number {
  // Where four pixels' sources begin takes a vector.
  const starts = pixelThreads * pixelsPerThread / 4;
  const staged = (vectors: number) =>
    stagedVectors(vectors, pixelThreads) + stagedVectors(vectors, channelThreads);
  const fitting = staged(4) + starts <= workgroupVectors ? 4 : 2;
  return Math.min(fitting, Math.max(1, 2 ** Math.floor(Math.log2(channelThreads / 2))));
}

/** What the places of so many vectors of source channels take, for so many threads each: rows as the shader lays them out. */
function stagedVectors(vectors: number, threads: number): number {
  const row = threads + (10 - threads % 8) % 8;
  return ((vectors - 1) * row + threads) * placeVectors;
}

/** Workgroups for `phases` phases of so many pixels each. */
export function stagedWorkgroups(
  tile: StagedTile,
  pixels: number,
  phases: number,
  channels: number,
): [number, number, number] {
  const { channelThreads } = stagedTile(tile, channels);
  const pixelTiles = Math.ceil(pixels / tile.pixels);
  return foldWorkgroups(phases * pixelTiles * Math.ceil(channels / (channelThreads * channelsPerThread)), 1);
}
