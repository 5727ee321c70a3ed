import { FormatError } from "../../errors.ts";
import { decodeJpeg } from "./jpeg_reader.ts";
import { decodePng } from "./png_reader.ts";
import type { ByteImage } from "./png.ts";

/** A format of pictures, told by bytes near the beginning of its files, and where they are. */
interface Signature {
  readonly name: string;
  readonly at: number;
  readonly bytes: string;
}

/** Formats that are recognised, to be refused by name. */
const others: readonly Signature[] = [
  { name: "WebP", at: 8, bytes: "WEBP" },
  { name: "GIF", at: 0, bytes: "GIF8" },
  { name: "BMP", at: 0, bytes: "BM" },
  { name: "TIFF", at: 0, bytes: "II*\0" },
  { name: "TIFF", at: 0, bytes: "MM\0*" },
  { name: "AVIF", at: 4, bytes: "ftypavi" },
  { name: "HEIC", at: 4, bytes: "ftyphei" },
  { name: "HEIC", at: 4, bytes: "ftypmif1" },
  { name: "JPEG 2000", at: 4, bytes: "jP  " },
  { name: "JPEG XL", at: 4, bytes: "JXL " },
];

const png = { name: "PNG", at: 0, bytes: "\x89PNG\r\n\x1a\n" };
const jpeg = { name: "JPEG", at: 0, bytes: "\xff\xd8\xff" };

/**
 * Reads a picture, PNG or JPEG by its content, upright and as RGB.
 * @throws {FormatError} if it is neither, damaged, or larger than is read.
 */
export function decodePicture(bytes: Uint8Array): ByteImage {
  if (matches(bytes, png)) return decodePng(bytes);
  if (matches(bytes, jpeg)) return decodeJpeg(bytes);
  const name = others.find((other) => matches(bytes, other))?.name;
  throw new FormatError(
    name
      ? `the picture is a ${name} file; only PNG and JPEG are read`
      : "the picture is neither PNG nor JPEG",
  );
}

function matches(bytes: Uint8Array, { at, bytes: expected }: Signature): boolean {
  return Array.from(expected).every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
}
