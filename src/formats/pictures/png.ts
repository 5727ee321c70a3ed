import { encode } from "fast-png";
import { ShapeError } from "../../errors.ts";
import { concatenate } from "../bytes.ts";
import { crc32 } from "../archives/crc32.ts";

/** An 8-bit image, grey or RGB: rows from the top, channels innermost, no padding. */
export interface ByteImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/**
 * A PNG file of an image.
 * @throws {ShapeError} if the number of bytes does not match the image's size.
 */
export function encodePng({ width, height, channels, data }: ByteImage): Uint8Array {
  if (data.length !== width * height * channels || data.length === 0) {
    throw new ShapeError(`${data.length} bytes cannot fill a PNG image of ${width}×${height}×${channels}`);
  }
  return encode({ width, height, channels, depth: 8, data }, { zlib: { level: 9 } });
}

/**
 * An animated PNG that plays `frames` in an endless loop; viewers without animation show the first frame.
 * Chunks acTL, fcTL and fdAT of the PNG specification, third edition, around the frames' own compressed data.
 * @param delayMilliseconds Time for which each frame is shown, an integer from 1 to 65,535.
 * @throws {ShapeError} if there are no frames, or their sizes differ.
 */
export function encodeApng(frames: readonly ByteImage[], delayMilliseconds: number): Uint8Array<ArrayBuffer> {
  const [first] = frames;
  if (!first || frames.some((frame) => !sameSize(frame, first))) {
    throw new ShapeError("an animation needs at least one frame, and frames of one size");
  }
  if (!Number.isInteger(delayMilliseconds) || delayMilliseconds < 1 || delayMilliseconds > 65535) {
    throw new RangeError(`delay of ${delayMilliseconds} ms; it must be a whole number from 1 to 65535`);
  }
  let sequence = 0;
  const parts: Uint8Array[] = [];
  frames.forEach((frame, index) => {
    const png = encodePng(frame);
    if (index === 0) {
      parts.push(
        png.subarray(0, 8),
        ...chunks(png, "IHDR").map((data) => chunk("IHDR", data)),
        chunk("acTL", integers(frames.length, 0)),
      );
    }
    parts.push(chunk("fcTL", frameControl(sequence++, frame, delayMilliseconds)));
    for (const data of chunks(png, "IDAT")) {
      parts.push(
        index === 0 ? chunk("IDAT", data) : chunk("fdAT", concatenate([integers(sequence++), data])),
      );
    }
  });
  parts.push(chunk("IEND", new Uint8Array()));
  return concatenate(parts);
}

function sameSize(a: ByteImage, b: ByteImage): boolean {
  return a.width === b.width && a.height === b.height && a.channels === b.channels;
}

/** Contents of a frame control chunk: the frame fills the canvas, replaces what it shows, and stays for the delay. */
function frameControl(sequence: number, { width, height }: ByteImage, milliseconds: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(26));
  [sequence, width, height].forEach((value, i) => view.setUint32(i * 4, value));
  view.setUint16(20, milliseconds);
  view.setUint16(22, 1000);
  return new Uint8Array(view.buffer);
}

/** The data of all chunks of one type. */
function chunks(png: Uint8Array, type: string): Uint8Array[] {
  const found: Uint8Array[] = [];
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let start = 8; start < png.length;) {
    const end = start + 8 + view.getUint32(start);
    if (new TextDecoder().decode(png.subarray(start + 4, start + 8)) === type) {
      found.push(png.subarray(start + 8, end));
    }
    start = end + 4;
  }
  return found;
}

/** A chunk: length, type, data, checksum of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const checked = concatenate([new TextEncoder().encode(type), data]);
  return concatenate([integers(data.length), checked, integers(crc32(checked))]);
}

/** 32-bit integers in PNG's byte order. */
function integers(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setUint32(i * 4, value));
  return new Uint8Array(view.buffer);
}
