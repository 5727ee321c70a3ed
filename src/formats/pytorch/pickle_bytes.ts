import { FormatError } from "../../errors.ts";

/** The bytes of a pickle, read from a position on. */
export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
  }

  /** Position of the next byte. */
  get at(): number {
    return this.#at;
  }

  /**
   * The next bytes, without copying.
   * @throws {FormatError} if there are fewer
   */
  take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw new FormatError("pickle: the data are truncated");
    return this.#bytes.subarray(this.#at, this.#at += count);
  }

  /**
   * A little-endian integer of 1, 2, 4 or 8 bytes. Only those of 4 bytes may have a sign.
   * @throws {FormatError} if there are fewer bytes
   */
  integer(bytes: number, signed: boolean): number {
    const at = this.#at;
    this.take(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at, true);
    if (bytes === 4) return signed ? this.#view.getInt32(at, true) : this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }

  /** The bytes up to the end of the line, which is skipped with them; undefined if no line ends. */
  line(): Uint8Array | undefined {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) return undefined;
    const line = this.take(end - this.#at);
    this.take(1);
    return line;
  }
}
