import type { GpuKind } from "../gpu_kind.ts";
import { foldWorkgroups } from "../kernel.ts";

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Pixels that an invocation computes, as the shader defines them. */
const pixelsPerThread = 8;

/** Pixels, and the most channels, that a workgroup computes at once. Both are multiples of 8. */
export interface StagedTile {
  readonly pixels: number;
  readonly channels: number;
  /** Channels that an invocation computes: 8 by default, 4 for GPUs with few registers. */
  readonly channelsPerThread?: 4 | 8;
}

/** Vectors that fit into the 16 KiB of workgroup memory that WebGPU guarantees. */
const workgroupVectors = 1024;
/** Vectors in a place: what a thread needs of one vector of source channels, as the shader defines it. */
const placeVectors = 9;
/** 80 channels divide the 160, 320 and 640 of WRN-28-10. */
const wide: StagedTile = { pixels: 128, channels: 80 };
const narrow: StagedTile = { pixels: 256, channels: 16 };
/** Half the sums for an invocation, because a sum in a chain takes two registers there. */
const intel: StagedTile = { pixels: 128, channels: 40, channelsPerThread: 4 };
const intelNarrow: StagedTile = { pixels: 256, channels: 16, channelsPerThread: 4 };
/** Two whole waves of 64 invocations. 128 × 80 would leave half of a third one idle. */
const twoWaves: StagedTile = { pixels: 128, channels: 64 };

/** The default tile for a number of result channels, on a kind of GPU. */
export function defaultTile(channels: number, kind?: GpuKind): StagedTile {
  const isNarrow = channels <= narrow.channels;
  if (kind === "intel") return isNarrow ? intelNarrow : intel;
  if (kind === "gcn" && channels % twoWaves.channels === 0) return twoWaves;
  return isNarrow ? narrow : wide;
}

/** A kernel in the default tiles, with its variants for kinds of GPUs. */
export function inDefaultTiles<Tiled extends object>(
  name: string,
  kernel: (name: string, tile: (channels: number) => StagedTile) => Tiled,
): Tiled & { readonly variants: Readonly<Record<GpuKind, Tiled>> } {
  const variant = (kind: GpuKind) => kernel(`${name}_${kind}`, (channels) => defaultTile(channels, kind));
  const variants = { intel: variant("intel"), gcn: variant("gcn") };
  return { ...kernel(name, (channels) => defaultTile(channels)), variants };
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

/** Constants of a tile: the fewest tiles that cover the channels, none wider than needed. */
export function stagedTile(
  tile: StagedTile,
  channels: number,
): Record<string, number> {
  const pixelThreads = tile.pixels / pixelsPerThread;
  const channelThreads = threadsAcross(channels, tile);
  const vectors = vectorsPerStep(pixelThreads, channelThreads);
  return {
    pixelThreads,
    channelThreads,
    channelVectors: channelsPerThread(tile) / 4,
    loadsAhead: Number(channelsPerThread(tile) === 8),
    vectorsPerStep: vectors,
    pixelRow: rowOf(pixelThreads),
    pixelPlaces: placesOf(pixelThreads, vectors),
    channelRow: rowOf(channelThreads),
    channelPlaces: placesOf(channelThreads, vectors),
  };
}

const channelsPerThread = ({ channelsPerThread = 8 }: StagedTile) => channelsPerThread;

function threadsAcross(channels: number, tile: StagedTile): number {
  const tiles = Math.ceil(channels / tile.channels);
  return Math.ceil(channels / tiles / channelsPerThread(tile));
}

/** Vectors of source channels in a step: what four loads of each invocation bring, and workgroup memory holds. */
function vectorsPerStep(pixelThreads: number, channelThreads: number): number {
  const places = placesOf(pixelThreads, 4) + placesOf(channelThreads, 4);
  const fitting = places * placeVectors <= workgroupVectors ? 4 : 2;
  return Math.min(fitting, Math.max(1, 2 ** Math.floor(Math.log2(channelThreads / 2))));
}

/** Places from one row to the next: 2 more than a multiple of 8, because rows are written at the same time. */
function rowOf(threads: number): number {
  return threads + (10 - threads % 8) % 8;
}

/** Places in a number of rows. The last row is not filled up. */
function placesOf(threads: number, rows: number): number {
  return (rows - 1) * rowOf(threads) + threads;
}

/** Workgroups for `phases` phases, each with the given number of pixels. */
export function stagedWorkgroups(
  tile: StagedTile,
  pixels: number,
  phases: number,
  channels: number,
): [number, number, number] {
  const pixelTiles = Math.ceil(pixels / tile.pixels);
  const width = threadsAcross(channels, tile) * channelsPerThread(tile);
  return foldWorkgroups(phases * pixelTiles * Math.ceil(channels / width), 1);
}
