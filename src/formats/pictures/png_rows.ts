import { FormatError } from "../../errors.ts";

/** What the header of a PNG file says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits a sample. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey with transparency, 6 RGB with transparency. */
  readonly colour: number;
  readonly interlaced: boolean;
}

/**
 * A part of the picture that is stored like a picture of its own: where it starts, and the steps between its columns
 * and rows.
 */
interface Pass {
  readonly left: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
  readonly columnStep: number;
  readonly rowStep: number;
}

/** Corner and steps of the seven passes of Adam7: left, top, columns, rows. */
const adam7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [
  0,
  1,
  1,
  2,
]];

/** The passes that have pixels. */
export function passesOf({ width, height, interlaced }: PngHeader): readonly Pass[] {
  return (interlaced ? adam7 : [[0, 0, 1, 1]])
    .map(([left = 0, top = 0, columnStep = 1, rowStep = 1]) => ({
      left,
      top,
      columnStep,
      rowStep,
      columns: Math.ceil((width - left) / columnStep),
      rows: Math.ceil((height - top) / rowStep),
    }))
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/** Bits that a pixel takes. */
export function sampleBits({ colour, depth }: Pick<PngHeader, "colour" | "depth">): number {
  return depth * [1, 0, 3, 1, 2, 0, 4][colour]!;
}

/** Turns the unpacked data of a picture, as they arrive, into RGB. */
export class PngRows {
  /** Tightly packed, rows from the top. */
  readonly rgb: Uint8Array;
  readonly #passes: Iterator<Pass>;
  readonly #header: PngHeader;
  /** RGB of each sample of at most 8 bits that stands for a whole pixel. */
  readonly #colours: Uint8Array;
  #pass: Pass | undefined;
  #row = 0;
  /** The row that is arriving, with its filter before it, and the row above. */
  #current = new Uint8Array();
  #above = new Uint8Array();
  #filled = 0;

  constructor(header: PngHeader, passes: readonly Pass[], palette: Uint8Array | undefined) {
    this.#header = header;
    this.#passes = passes[Symbol.iterator]();
    this.#colours = coloursOf(header, palette);
    this.rgb = new Uint8Array(header.width * header.height * 3);
    this.#startPass();
  }

  /** Whether all rows have arrived. */
  get complete(): boolean {
    return this.#pass === undefined;
  }

  /** Takes the next bytes. Those after the last row are skipped. */
  push(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length && this.#pass;) {
      const part = bytes.subarray(start, start + this.#current.length - this.#filled);
      this.#current.set(part, this.#filled);
      this.#filled += part.length;
      start += part.length;
      if (this.#filled === this.#current.length) this.#finishRow(this.#pass);
    }
  }

  #finishRow(pass: Pass): void {
    const bits = sampleBits(this.#header);
    unfilter(this.#current, this.#above, Math.max(1, bits >> 3));
    this.#paint(pass, this.#current.subarray(1));
    [this.#above, this.#current, this.#filled] = [this.#current, this.#above, 0];
    if (++this.#row === pass.rows) this.#startPass();
  }

  #startPass(): void {
    this.#pass = this.#passes.next().value;
    if (!this.#pass) return;
    const rowBytes = 1 + Math.ceil(this.#pass.columns * sampleBits(this.#header) / 8);
    [this.#row, this.#current, this.#above] = [0, new Uint8Array(rowBytes), new Uint8Array(rowBytes)];
  }

  #paint({ left, top, columns, columnStep, rowStep }: Pass, row: Uint8Array): void {
    const { width, depth, colour } = this.#header;
    const inColour = colour === 2 || colour === 6;
    const [pixelBits, mask] = [sampleBits(this.#header), 2 ** Math.min(depth, 8) - 1];
    let target = ((top + this.#row * rowStep) * width + left) * 3;
    if (colour === 2 && depth === 8 && columnStep === 1) {
      this.rgb.set(row, target);
      return;
    }
    for (let x = 0; x < columns; x++, target += columnStep * 3) {
      const bit = x * pixelBits;
      const at = bit >> 3;
      if (inColour) {
        // Of 16 bits the upper 8 come first.
        const step = depth >> 3;
        for (let c = 0; c < 3; c++) this.rgb[target + c] = row[at + c * step]!;
      } else {
        const sample = depth < 8 ? row[at]! >> (8 - depth - (bit & 7)) & mask : row[at]!;
        if (sample * 3 >= this.#colours.length) {
          throw new FormatError("PNG: a pixel's colour is not in the palette");
        }
        for (let c = 0; c < 3; c++) this.rgb[target + c] = this.#colours[sample * 3 + c]!;
      }
    }
  }
}

/** A palette, or the shades of grey of samples of at most 8 bits (or their upper 8). */
function coloursOf({ colour, depth }: PngHeader, palette: Uint8Array | undefined): Uint8Array {
  if (colour === 3) {
    if (palette && palette.length > 0 && palette.length % 3 === 0 && palette.length <= 768) return palette;
    throw new FormatError("PNG: the palette is missing or damaged");
  }
  const shades = 2 ** Math.min(depth, 8);
  return Uint8Array.from({ length: 3 * shades }, (_, i) => Math.floor(i / 3) * 255 / (shades - 1));
}

/** Undoes a row's filter, which its first byte names, in place: adds what the filter subtracted. */
function unfilter(row: Uint8Array, above: Uint8Array, step: number): void {
  const [filter] = row;
  // The pixel to the left of the first one is zero.
  const second = Math.min(row.length, 1 + step);
  if (filter === 1) {
    for (let i = second; i < row.length; i++) row[i]! += row[i - step]!;
  } else if (filter === 2) {
    for (let i = 1; i < row.length; i++) row[i]! += above[i]!;
  } else if (filter === 3) {
    for (let i = 1; i < second; i++) row[i]! += above[i]! >> 1;
    for (let i = second; i < row.length; i++) row[i]! += (row[i - step]! + above[i]!) >> 1;
  } else if (filter === 4) {
    for (let i = 1; i < second; i++) row[i]! += above[i]!;
    for (let i = second; i < row.length; i++) row[i]! += paeth(row[i - step]!, above[i]!, above[i - step]!);
  } else if (filter !== 0) {
    throw new FormatError(`PNG: the data are damaged: there is no filter ${filter}`);
  }
}

/** The one of three neighbours that is nearest to left + up − corner. */
function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp] = [Math.abs(up - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
