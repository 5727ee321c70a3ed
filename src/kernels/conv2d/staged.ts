import { foldWorkgroups } from "../kernel.ts";

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Pixels and channels that an invocation computes, as the shader defines them. */
const pixelsPerThread = 8;
const channelsPerThread = 8;

/** How many pixels, and at most how many channels, a workgroup computes at once. Both are multiples of 8. */
export interface StagedTile {
  readonly pixels: number;
  readonly channels: number;
}

/** Vectors that fit into the 16 KiB of workgroup memory that WebGPU guarantees. */
const workgroupVectors = 1024;
/** Vectors of a place: what a thread needs of a vector of source channels, as the shader defines it. */
const placeVectors = 9;
/** 80 channels divide the 160, 320 and 640 of WRN-28-10. */
const wide: StagedTile = { pixels: 128, channels: 80 };
const narrow: StagedTile = { pixels: 256, channels: 16 };

/** The default tile for a number of result channels. */
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
): Record<string, number> {
  const pixelThreads = pixels / pixelsPerThread;
  const channelThreads = threadsAcross(channels, widest);
  const vectors = vectorsPerStep(pixelThreads, channelThreads);
  return {
    pixelThreads,
    channelThreads,
    vectorsPerStep: vectors,
    pixelRow: rowOf(pixelThreads),
    pixelPlaces: placesOf(pixelThreads, vectors),
    channelRow: rowOf(channelThreads),
    channelPlaces: placesOf(channelThreads, vectors),
  };
}

function threadsAcross(channels: number, widest: number): number {
  const tiles = Math.ceil(channels / widest);
  return Math.ceil(channels / tiles / channelsPerThread);
}

/** Vectors of source channels a step: as many as four loads of each invocation bring and workgroup memory holds. */
function vectorsPerStep(pixelThreads: number, channelThreads: number): number {
  // Where four pixels' sources begin takes a vector.
  const starts = pixelThreads * pixelsPerThread / 4;
  const places = placesOf(pixelThreads, 4) + placesOf(channelThreads, 4);
  const fitting = places * placeVectors + starts <= workgroupVectors ? 4 : 2;
  return Math.min(fitting, Math.max(1, 2 ** Math.floor(Math.log2(channelThreads / 2))));
}

/** Places from one row to the next: 2 more than a multiple of 8, since rows are written at the same time. */
function rowOf(threads: number): number {
  return threads + (10 - threads % 8) % 8;
}

/** Places in a number of rows, the last of which is not filled up. */
function placesOf(threads: number, rows: number): number {
  return (rows - 1) * rowOf(threads) + threads;
}

/** Workgroups for `phases` phases with the given number of pixels each. */
export function stagedWorkgroups(
  tile: StagedTile,
  pixels: number,
  phases: number,
  channels: number,
): [number, number, number] {
  const channelThreads = threadsAcross(channels, tile.channels);
  const pixelTiles = Math.ceil(pixels / tile.pixels);
  return foldWorkgroups(phases * pixelTiles * Math.ceil(channels / (channelThreads * channelsPerThread)), 1);
}
