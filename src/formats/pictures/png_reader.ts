import { Unzlib } from "fflate";
import { FormatError } from "../../errors.ts";
import { deflateGain, mostPngChunks, unpackedAtOnce } from "../budget.ts";
import { crc32 } from "../archives/crc32.ts";
import { exifOrientation, upright } from "./orientation.ts";
import { requireSize } from "./picture_size.ts";
import type { ByteImage } from "./png.ts";
import { passesOf, type PngHeader, PngRows, sampleBits } from "./png_rows.ts";

const signatureBytes = 8;
/** Length, type and checksum of a chunk. */
const frameBytes = 12;
const headerBytes = 13;
/** Types of the chunks that are used. */
const usedTypes: ReadonlySet<string> = new Set(["IHDR", "PLTE", "IDAT", "eXIf"]);
/** Bits a sample may have, by colour type: grey, RGB, palette, grey and RGB with transparency. */
const depths: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/**
 * Reads a PNG file as RGB (PNG specification, third edition). Grey values are repeated, palettes looked up, samples of
 * 16 bits cut to their upper 8. Transparency, gamma and colour profiles are ignored; EXIF's orientation is applied. Of
 * an animation the still picture is read. Whatever follows the picture's data or the last chunk is skipped.
 * @throws {FormatError} if it is damaged, truncated, or larger than is read.
 */
export function decodePng(bytes: Uint8Array): ByteImage {
  const chunks = readChunks(bytes);
  const header = parseHeader(chunks.find(({ type }) => type === "IHDR"));
  const packed = chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data);
  const packedBytes = packed.reduce((sum, { length }) => sum + length, 0);
  requireSize("PNG", header, bytes.length, Math.floor(8 * deflateGain * packedBytes / sampleBits(header)));
  const palette = header.colour === 3 ? chunks.find(({ type }) => type === "PLTE")?.data : undefined;
  const rows = new PngRows(header, passesOf(header), palette);
  unpack(packed, rows);
  const exif = chunks.find(({ type }) => type === "eXIf");
  const picture: ByteImage = { width: header.width, height: header.height, channels: 3, data: rows.rgb };
  return upright(picture, exif ? exifOrientation(exif.data) : 1);
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** The chunks that are used, up to the last one, or to the end of the file. */
function readChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let count = 0;
  for (let start = signatureBytes; start + frameBytes <= bytes.length;) {
    if (++count > mostPngChunks) throw new FormatError(`PNG: more than ${mostPngChunks} chunks`);
    const end = start + frameBytes + view.getUint32(start);
    const type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    if (end > bytes.length) throw new FormatError("PNG: the file is truncated");
    // An upper-case letter marks a critical chunk: without it there is no picture.
    if (/^[A-Z]/.test(type) && crc32(bytes.subarray(start + 4, end - 4)) !== view.getUint32(end - 4)) {
      throw new FormatError(`PNG: the file is damaged: the checksum of ${type} does not match`);
    }
    if (usedTypes.has(type)) chunks.push({ type, data: bytes.subarray(start + 8, end - 4) });
    if (type === "IEND") break;
    start = end;
  }
  return chunks;
}

function parseHeader(chunk: Chunk | undefined): PngHeader {
  if (chunk?.data.length !== headerBytes) throw new FormatError("PNG: the file has no header; it is damaged");
  const view = new DataView(chunk.data.buffer, chunk.data.byteOffset, headerBytes);
  const [depth, colour, compression, filter, interlace] = chunk.data.subarray(8);
  if (!depths[colour!]?.includes(depth!)) {
    throw new FormatError(`PNG: there is no colour type ${colour} of ${depth} bits`);
  }
  if (compression !== 0 || filter !== 0 || interlace! > 1) {
    throw new FormatError(
      `PNG: unknown methods: compression ${compression}, filter ${filter}, interlace ${interlace}`,
    );
  }
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth: depth!,
    colour: colour!,
    interlaced: interlace === 1,
  };
}

/** Unpacks the compressed data piece by piece, until all rows are there. */
function unpack(packed: readonly Uint8Array[], rows: PngRows): void {
  const stream = new Unzlib((piece) => rows.push(piece));
  try {
    for (const data of packed) {
      for (let start = 0; start < data.length && !rows.complete; start += unpackedAtOnce) {
        stream.push(data.subarray(start, start + unpackedAtOnce));
      }
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError("PNG: the compressed data are damaged");
  }
  if (!rows.complete) throw new FormatError("PNG: the picture's data are incomplete; the file is truncated");
}
