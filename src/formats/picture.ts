import { decode as decodePngFile, type DecodedPng, type PngDataArray } from "fast-png";
import { decode as decodeJpegFile } from "jpeg-js";
import { FormatError } from "../errors.ts";
import { decompress } from "./decompress.ts";
import type { ByteImage } from "./png.ts";

/** More pixels than any picture of a data set has. */
const mostPixels = 2 ** 26;
/** A JPEG of one colour takes half a byte for 8×8 pixels of each component; with subsampled colour rather more. */
const jpegPixelsPerByte = 512;
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
  await checkPngSize(bytes);
  let png: DecodedPng;
  try {
    png = decodePngFile(bytes);
  } catch (error) {
    throw new FormatError(`PNG: ${firstLine(error)}`);
  }
  const { width, height } = png;
  return { width, height, channels: 3, data: toRgb(png) };
}

/** Refuses pictures whose compressed data hold more than the header says: the decoder would unpack all of it. */
async function checkPngSize(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33) throw new FormatError("PNG: the file is truncated");
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour] = [bytes[24]!, bytes[25]!];
  if (width * height > mostPixels) throw new FormatError(`PNG: ${width}×${height} pixels are too many`);
  const channels = [1, 0, 3, 1, 2, 0, 4][colour] ?? 0;
  if (channels === 0 || ![1, 2, 4, 8, 16].includes(depth)) {
    throw new FormatError(`PNG: unknown colour type ${colour} of ${depth} bits`);
  }
  const expected = 2 * height * (Math.ceil(width * channels * depth / 8) + 1) + pngOverhead;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 8; start + 12 <= bytes.length;) {
    const length = view.getUint32(start);
    if (start + 12 + length > bytes.length) throw new FormatError("PNG: the file is truncated");
    if (view.getUint32(start + 4) === 0x49444154) parts.push(bytes.subarray(start + 8, start + 8 + length));
    start += 12 + length;
  }
  const data = await decompress(new Uint8Array(await new Blob(parts).arrayBuffer()), "deflate", expected);
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
  const { width, height } = jpegSize(bytes);
  if (width * height > Math.min(mostPixels, jpegPixelsPerByte * bytes.length)) {
    throw new FormatError(`JPEG: ${bytes.length} bytes cannot hold ${width}×${height} pixels`);
  }
  try {
    const { data } = decodeJpegFile(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false });
    if (data.length !== width * height * 3) {
      throw new FormatError("JPEG: the picture is not in colour or grey");
    }
    return { width, height, channels: 3, data };
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`JPEG: ${firstLine(error)}`);
  }
}

/** The size that the frame header states; other frame headers would make the decoder allocate more. */
function jpegSize(bytes: Uint8Array): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let size: { width: number; height: number } | undefined;
  for (let at = 2; at + 9 < bytes.length;) {
    if (bytes[at] !== 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      const frame = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
      if (!size || frame.width * frame.height > size.width * size.height) size = frame;
    }
    at += 2;
  }
  if (!size || size.width === 0 || size.height === 0) {
    throw new FormatError("JPEG: there is no picture in the file");
  }
  return size;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.slice(0, 200);
}
