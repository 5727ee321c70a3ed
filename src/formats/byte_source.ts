/**
 * Bytes that are read range by range, so that a file takes only the memory that is needed of it. Reading is
 * synchronous: a format's structure is many small reads, each of which costs less than a promise would.
 */
export interface ByteSource {
  /** Number of bytes. */
  readonly size: number;
  /**
   * The bytes from `begin` up to `end`, which must be within {@link size}. For bytes in memory this is a view.
   * @throws {FormatError} if they cannot be read, because the file has changed meanwhile.
   */
  read(begin: number, end: number): Uint8Array<ArrayBuffer>;
}

/** Bytes in memory as a source; a source is returned unchanged. */
export function sourceOf(file: ByteSource | Uint8Array): ByteSource {
  if (!(file instanceof Uint8Array)) return file;
  // Another thread must not change what has been checked.
  const bytes = isUnshared(file) ? file : new Uint8Array(file);
  return { size: bytes.length, read: (begin, end) => bytes.subarray(begin, end) };
}

/** The first bytes of a source, up to `length` of them. */
export function beginningOf(source: ByteSource, length: number): Uint8Array<ArrayBuffer> {
  return source.read(0, Math.min(length, source.size));
}

function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}
