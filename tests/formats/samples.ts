/** Small files of the formats that are read, written by independent code. Tests read them, and also damage them. */

import { gzipSync, zlibSync } from "fflate";

/** An IDX file of bytes. */
export function idx(shape: readonly number[], data: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  shape.forEach((extent, axis) => view.setUint32(4 + 4 * axis, extent));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

/** A tar archive (ustar) of files. */
export function tar(files: Readonly<Record<string, Uint8Array>>): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    const header = new Uint8Array(512);
    const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
    put(name, 0);
    put("0000644\0", 100);
    put(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    put("        0", 148);
    put("ustar\x0000", 257);
    put(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(header, bytes, new Uint8Array((512 - bytes.length % 512) % 512));
  }
  return Uint8Array.from([...blocks, new Uint8Array(1024)].flatMap((block) => [...block]));
}

export function gzip(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(bytes));
}

/** A variable of a MAT-file. Class 9 is uint8, and 6 is double. */
export interface MatVariable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly class: number;
  /** The type in which the numbers are stored: 2 is uint8, 9 is double, 4 is uint16. */
  readonly type: number;
  readonly data: readonly number[];
  readonly compressed?: boolean;
  readonly complex?: boolean;
}

/** A MAT-file of level 5. */
export function mat(variables: readonly MatVariable[], little = true): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(128).fill(0x20);
  const view = new DataView(header.buffer);
  view.setUint16(124, 0x0100, little);
  view.setUint16(126, 0x4d49, little);
  const parts = variables.map((variable) => {
    const matrix = element(14, join(matrixParts(variable, little)), little);
    if (!variable.compressed) return matrix;
    const packed = zlibSync(matrix);
    return join([numbers([15, packed.length], 4, little), packed]);
  });
  return join([header, ...parts]);
}

function matrixParts({ name, shape, class: arrayClass, type, data, complex }: MatVariable, little: boolean) {
  const width = { 2: 1, 4: 2, 9: 8 }[type]!;
  return [
    element(6, numbers([arrayClass | (complex ? 0x0800 : 0), 0], 4, little), little),
    element(5, numbers(shape, 4, little), little),
    element(1, new TextEncoder().encode(name), little),
    element(type, numbers(data, width, little), little),
  ];
}

/** A tagged element, in the small form if it fits. */
function element(type: number, data: Uint8Array, little: boolean): Uint8Array {
  if (data.length > 0 && data.length <= 4 && type !== 14) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, data.length << 16 | type, little);
    bytes.set(data, 4);
    return bytes;
  }
  const padding = type === 14 ? 0 : (8 - data.length % 8) % 8;
  return join([numbers([type, data.length], 4, little), data, new Uint8Array(padding)]);
}

function numbers(values: readonly number[], width: number, little: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * width));
  values.forEach((value, i) => {
    if (width === 1) view.setUint8(i, value);
    else if (width === 2) view.setUint16(2 * i, value, little);
    else if (width === 4) view.setUint32(4 * i, value, little);
    else view.setFloat64(8 * i, value, little);
  });
  return new Uint8Array(view.buffer);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
