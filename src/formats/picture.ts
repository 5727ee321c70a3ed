import { decode as decodePngFile, type DecodedPng, type PngDataArray } from "fast-png";
import { decode as decodeJpegFile } from "jpeg-js";
import { FormatError } from "../errors.ts";
import { concatenate } from "./bytes.ts";
import { decompress } from "./decompress.ts";
import type { ByteImage } from "./png.ts";

/** More pixels than any picture of a data set has. */
const mostPixels = 2 ** 26;
/** A JPEG of one colour takes half a byte for 8×8 pixels of each component; with subsampled colour rather more. */
const jpegPixelsPerByte = 512;
/** Bytes that the decoder takes for each pixel, at most: coefficients, lines and colours of four components. */
const jpegMemory = 32;
/** Progressive pictures have about ten. Each walks over the whole picture, however few its bytes. */
const mostScans = 200;
/** Where the chunks of a PNG begin, behind its signature. */
const pngStart = 8;
/** Transparency is not needed, but the decoder takes its chunk as a part of the palette. */
const neededChunks: readonly string[] = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];
/** PNG rows begin with a byte for the filter; seven interlaced passes may have more rows than the picture. */
const pngOverhead = 4096;

/**
 * Reads a picture, PNG or JPEG, as RGB. Grey values are repeated, palettes looked up, 16 bits cut to 8; transparency is
 * ignored.
 * @throws {FormatError} if it is neither, damaged, or larger than its bytes can describe.
 */
export async function decodePicture(bytes: Uint8Array<ArrayBuffer>): Promise<ByteImage> {
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47])) return await decodePng(bytes);
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return decodeJpeg(bytes);
  throw new FormatError("the picture is neither PNG nor JPEG");
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

async function decodePng(bytes: Uint8Array<ArrayBuffer>): Promise<ByteImage> {
  const chunks = pngChunks(bytes);
  await checkPngSize(bytes, chunks);
  let png: DecodedPng;
  try {
    png = decodePngFile(concatenate([bytes.subarray(0, pngStart), ...chunks.map(({ whole }) => whole)]));
  } catch (error) {
    throw new FormatError(`PNG: ${firstLine(error)}`);
  }
  const { width, height } = png;
  return { width, height, channels: 3, data: toRgb(png) };
}

interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array<ArrayBuffer>;
  /** The chunk with its length, type and checksum. */
  readonly whole: Uint8Array<ArrayBuffer>;
}

/** The chunks that a picture's colours need. The others (colour profiles, text) would be unpacked for nothing, to any size. */
function pngChunks(bytes: Uint8Array<ArrayBuffer>): PngChunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: PngChunk[] = [];
  for (let start = pngStart; start + 12 <= bytes.length;) {
    const end = start + 12 + view.getUint32(start);
    if (end > bytes.length) break;
    const type = new TextDecoder("latin1").decode(bytes.subarray(start + 4, start + 8));
    if (neededChunks.includes(type)) {
      chunks.push({ type, data: bytes.subarray(start + 8, end - 4), whole: bytes.subarray(start, end) });
    }
    if (type === "IEND") return chunks;
    start = end;
  }
  throw new FormatError("PNG: the file is truncated");
}

/** Refuses pictures whose compressed data hold more than the header says: the decoder would unpack all of it. */
async function checkPngSize(bytes: Uint8Array<ArrayBuffer>, chunks: readonly PngChunk[]): Promise<void> {
  if (bytes.length < 33) throw new FormatError("PNG: the file is truncated");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour] = [bytes[24]!, bytes[25]!];
  if (width * height > mostPixels) throw new FormatError(`PNG: ${width}×${height} pixels are too many`);
  const channels = [1, 0, 3, 1, 2, 0, 4][colour] ?? 0;
  if (channels === 0 || ![1, 2, 4, 8, 16].includes(depth)) {
    throw new FormatError(`PNG: unknown colour type ${colour} of ${depth} bits`);
  }
  const expected = 2 * height * (Math.ceil(width * channels * depth / 8) + 1) + pngOverhead;
  const packed = chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data);
  const data = await decompress(concatenate(packed), "deflate", expected);
  const least = height * Math.ceil(width * channels * depth / 8);
  if (data.length < least) throw new FormatError("PNG: the picture's data are incomplete");
}

function toRgb({ width, height, data, depth, channels, palette }: DecodedPng): Uint8Array {
  const samples = depth < 8 ? unpack(data, width, height, depth) : data;
  const shift = depth === 16 ? 8 : 0;
  const scale = !palette && depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const colour = palette?.[samples[pixel]!];
    if (palette && !colour) throw new FormatError("PNG: a pixel's colour is not in the palette");
    for (let c = 0; c < 3; c++) {
      const sample = samples[pixel * channels + (channels >= 3 ? c : 0)]!;
      rgb[pixel * 3 + c] = colour ? colour[c]! : (sample >> shift) * scale;
    }
  }
  return rgb;
}

/** One sample a byte, from rows of samples of less than 8 bits. */
function unpack(data: PngDataArray, width: number, height: number, depth: number): Uint8Array {
  const rowBytes = Math.ceil(width * depth / 8);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const bit = i % width * depth;
    const byte = data[Math.floor(i / width) * rowBytes + (bit >> 3)]!;
    return (byte >> (8 - depth - bit % 8)) & (2 ** depth - 1);
  });
}

function decodeJpeg(bytes: Uint8Array): ByteImage {
  const { width, height, scans } = jpegOutline(bytes);
  const pixels = Math.min(mostPixels, jpegPixelsPerByte * bytes.length);
  if (width * height > pixels) {
    throw new FormatError(`JPEG: ${bytes.length} bytes cannot hold ${width}×${height} pixels`);
  }
  if (scans > mostScans) throw new FormatError(`JPEG: ${scans} scans; at most ${mostScans} are read`);
  // The decoder's own limits, in case that it sees another frame than the outline shows.
  const limits = { maxResolutionInMP: pixels / 1e6, maxMemoryUsageInMB: 1 + jpegMemory * pixels / 2 ** 20 };
  try {
    const image = decodeJpegFile(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      ...limits,
    });
    if (image.width !== width || image.height !== height) {
      throw new FormatError("JPEG: the file has two sizes");
    }
    return { width, height, channels: 3, data: image.data };
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`JPEG: ${firstLine(error)}`);
  }
}

/**
 * The size that the frame header states, and the number of scans. Segments are passed over by their lengths: what looks
 * like a header inside one belongs to a thumbnail, or to nothing.
 */
function jpegOutline(bytes: Uint8Array): { width: number; height: number; scans: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let size: { width: number; height: number } | undefined;
  let scans = 0;
  for (let at = 2; at + 9 < bytes.length;) {
    const marker = bytes[at] === 0xff ? bytes[at + 1]! : undefined;
    // Coded data, fill bytes, and the markers without a length: stuffed zeros, restarts, begin and end.
    if (marker === undefined || marker === 0xff || marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd9)) {
      at++;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) size ??= { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    if (marker === 0xda) scans++;
    at += 2 + view.getUint16(at + 2);
  }
  if (!size || size.width === 0 || size.height === 0) {
    throw new FormatError("JPEG: there is no picture in the file");
  }
  return { ...size, scans };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.slice(0, 200);
}
