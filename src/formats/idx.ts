import { FormatError } from "../errors.ts";

/** The format's code for unsigned bytes. */
const unsignedByte = 8;
const mostDimensions = 4;

/**
 * Reads an IDX file of unsigned bytes, MNIST's format (http://yann.lecun.com/exdb/mnist): a magic number, the sizes as
 * big-endian words, then the elements, last index fastest.
 * @returns the shape, and the elements as a view into the file
 * @throws {FormatError} if it is not such a file, or is damaged or truncated.
 */
export function parseIdx(bytes: Uint8Array): { shape: number[]; data: Uint8Array } {
  if (bytes.length < 4) throw new FormatError("IDX: the file is truncated");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [zeros, type, dimensions] = [view.getUint16(0), bytes[2]!, bytes[3]!];
  if (zeros !== 0 || dimensions < 1 || dimensions > mostDimensions) {
    throw new FormatError("IDX: this is no IDX file");
  }
  if (type !== unsignedByte) {
    throw new FormatError(`IDX: elements of type ${type}; only unsigned bytes (8) are read`);
  }
  const start = 4 + 4 * dimensions;
  if (bytes.length < start) throw new FormatError("IDX: the file is truncated");
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = shape.reduce((product, extent) => product * extent, 1);
  if (bytes.length - start !== expected) {
    throw new FormatError(`IDX: ${bytes.length - start} bytes for shape [${shape}], which takes ${expected}`);
  }
  return { shape, data: bytes.subarray(start) };
}
