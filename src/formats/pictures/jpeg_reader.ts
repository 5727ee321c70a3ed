import { FormatError } from "../../errors.ts";
import { mostScannedPixels, mostScans } from "../budget.ts";
import { decompressJpeg } from "./libjpeg.ts";
import { exifOrientation, type Orientation, upright } from "./orientation.ts";
import { type PictureSize, requireSize } from "./picture_size.ts";
import type { ByteImage } from "./png.ts";

/** A block of 8×8 pixels takes at least one bit. */
const mostPixelsPerByte = 512;
/** Markers: end of image, start of scan, and the application segment that EXIF uses. */
const [imageEnd, scanStart, app1] = [0xd9, 0xda, 0xe1];
const exifName = new TextEncoder().encode("Exif\0\0");
/** Kinds of coding that are not read, by the marker of their frame; 0xc0 to 0xc2 are read. */
const refusedFrames: Readonly<Record<number, string>> = {
  0xc3: "lossless",
  0xc5: "hierarchical",
  0xc6: "hierarchical",
  0xc7: "lossless",
  0xc9: "arithmetic",
  0xca: "arithmetic",
  0xcb: "lossless",
  0xcd: "hierarchical",
  0xce: "hierarchical",
  0xcf: "lossless",
  0xf7: "lossless (JPEG-LS)",
};

/**
 * Reads a JPEG file (ITU-T T.81: baseline, extended and progressive, 8 bits, Huffman codes) as RGB. Grey values are
 * repeated, CMYK is taken as Adobe's inverted kind, as Pillow does; EXIF's orientation is applied; colour profiles are
 * ignored. Whatever follows the end of the picture is skipped.
 * @throws {FormatError} if it is damaged, truncated, of another kind, or larger than is read.
 */
export function decodeJpeg(bytes: Uint8Array): ByteImage {
  const { width, height, components, scans, orientation, length } = outline(bytes);
  requireSize("JPEG", { width, height }, length, mostPixelsPerByte * length);
  const most = Math.min(mostScans, Math.ceil(mostScannedPixels(length) / (width * height)));
  if (scans > most) {
    throw new FormatError(
      `JPEG: ${scans} scans; at most ${most} are read of a picture of ${width}×${height} pixels in ${length} bytes`,
    );
  }
  const [format, toRgb] = components === 4 ? ["cmyk", fromInvertedCmyk] as const : ["rgb", copy] as const;
  const data = decompressJpeg(bytes.subarray(0, length), { width, height }, format, toRgb);
  return upright({ width, height, channels: 3, data }, orientation);
}

function copy(pixels: Uint8Array): Uint8Array<ArrayBuffer> {
  return pixels.slice() as Uint8Array<ArrayBuffer>;
}

/** RGB of inks that are stored as the light they leave: the product with that of black. */
function fromInvertedCmyk(cmyk: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(cmyk.length / 4 * 3);
  for (let source = 0, target = 0; source < cmyk.length; source += 4) {
    const black = cmyk[source + 3]!;
    for (let c = 0; c < 3; c++) {
      // Divided by 255 and rounded, in integers.
      const product = cmyk[source + c]! * black + 128;
      rgb[target++] = (product + (product >> 8)) >> 8;
    }
  }
  return rgb;
}

interface Outline extends PictureSize {
  readonly components: number;
  readonly scans: number;
  readonly orientation: Orientation;
  /** Bytes up to the end of the picture. */
  readonly length: number;
}

/**
 * What the headers say. Segments are skipped by their lengths, because what looks like a header inside one belongs to a
 * thumbnail, or to nothing.
 */
function outline(bytes: Uint8Array): Outline {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Frame | undefined;
  let orientation: Orientation | undefined;
  let scans = 0;
  for (let at = 2; at + 2 <= bytes.length;) {
    const marker = bytes[at] === 0xff ? bytes[at + 1]! : undefined;
    if (marker === imageEnd && frame && scans > 0) {
      return { ...frame, scans, orientation: orientation ?? 1, length: at + 2 };
    }
    // Coded data, fill bytes, and the markers without a length: stuffed zeros, restarts, begin and end.
    if (marker === undefined || marker === 0xff || marker <= 0x01 || (marker >= 0xd0 && marker <= imageEnd)) {
      at++;
      continue;
    }
    if (at + 4 > bytes.length) break;
    const end = at + 2 + view.getUint16(at + 2);
    const segment = bytes.subarray(at + 4, end);
    if (isFrame(marker)) frame ??= parseFrame(marker, segment);
    if (marker === app1 && exifName.every((byte, i) => segment[i] === byte)) {
      orientation ??= exifOrientation(segment.subarray(exifName.length));
    }
    if (marker === scanStart) scans++;
    at = end;
  }
  throw new FormatError(frame ? "JPEG: the file is truncated" : "JPEG: there is no picture in the file");
}

function isFrame(marker: number): boolean {
  return (marker >= 0xc0 && marker <= 0xc2) || marker in refusedFrames;
}

interface Frame extends PictureSize {
  readonly components: number;
}

function parseFrame(marker: number, segment: Uint8Array): Frame {
  if (segment.length < 6) throw new FormatError("JPEG: the file is truncated");
  const kind = refusedFrames[marker];
  const [precision = 0, high1 = 0, low1 = 0, high2 = 0, low2 = 0, components = 0] = segment;
  if (kind) {
    throw new FormatError(`JPEG: ${kind} coding is not read; save the picture as baseline or progressive`);
  }
  if (precision !== 8) throw new FormatError(`JPEG: ${precision} bits a sample; only 8 are read`);
  if (![1, 3, 4].includes(components)) {
    throw new FormatError(`JPEG: ${components} components; only 1, 3 and 4 (grey, colour, CMYK) are read`);
  }
  return { height: high1 << 8 | low1, width: high2 << 8 | low2, components };
}
