import { FormatError } from "../../errors.ts";
import { printable } from "../text.ts";

const blockBytes = 512;
/** Limits for files that are skipped, and for their bytes: notes, other versions, a system's own files. */
const mostOthers = 10_000;
const mostOtherBytes = 2 ** 26;

/**
 * Reads the wanted files of a tar archive (ustar) while it streams by. Nothing else is kept.
 * @param pieces the archive's bytes, in pieces of any size
 * @param wanted whether to keep the file of this name
 * @param maximumBytes the most that a wanted file may have
 * @throws {FormatError} if the archive is damaged or truncated, a wanted file is too large, or there is too much else.
 */
export async function readTar(
  pieces: AsyncIterable<Uint8Array>,
  wanted: (name: string) => boolean,
  maximumBytes: number,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  let [others, otherBytes] = [0, 0];
  const reader = new PieceReader(pieces);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (;;) {
    const header = await reader.read(blockBytes);
    if (header.every((byte) => byte === 0)) return files;
    const { name, size, isFile } = parseHeader(header);
    const padding = (blockBytes - size % blockBytes) % blockBytes;
    if (isFile && wanted(name)) {
      if (size > maximumBytes) {
        throw new FormatError(
          `tar: ${printable(name)} has ${size} bytes, where at most ${maximumBytes} are expected`,
        );
      }
      files.set(name, await reader.read(size));
      await reader.skip(padding);
    } else {
      otherBytes += size;
      if (++others > mostOthers || otherBytes > mostOtherBytes) {
        throw new FormatError(
          `tar: more than ${mostOthers} files or ${mostOtherBytes} bytes that no data set has; give the official archive`,
        );
      }
      await reader.skip(size + padding);
    }
  }
}

function parseHeader(header: Uint8Array): { name: string; size: number; isFile: boolean } {
  const text = (start: number, length: number) => {
    const field = header.subarray(start, start + length);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  };
  const octal = (start: number, length: number) => {
    const digits = text(start, length).trim();
    if (!/^[0-7]+$/.test(digits)) {
      throw new FormatError("tar: the archive is damaged: a header's number is not one");
    }
    return parseInt(digits, 8);
  };
  // The checksum counts its own eight bytes as spaces.
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (octal(148, 8) !== sum) {
    throw new FormatError("tar: the archive is damaged: a header's checksum does not match");
  }
  const prefix = text(257, 5) === "ustar" ? text(345, 155) : "";
  const type = header[156]!;
  return {
    name: prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`,
    size: octal(124, 12),
    isFile: type === 0 || type === 0x30,
  };
}

/** Reads exact amounts from pieces of any size. */
class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async read(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const whole = new Uint8Array(length);
    let at = 0;
    await this.#take(length, (part) => {
      whole.set(part, at);
      at += part.length;
    });
    return whole;
  }

  async skip(length: number): Promise<void> {
    await this.#take(length, () => {});
  }

  async #take(length: number, use: (part: Uint8Array) => void): Promise<void> {
    for (let left = length; left > 0;) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#pieces.next();
        if (done) throw new FormatError("tar: the archive is truncated");
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      if (part.length > 0) use(part);
    }
  }
}
