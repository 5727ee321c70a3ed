/** Signed integers, because the engine keeps those in registers. */
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The CRC-32 of PNG chunks and gzip members (reflected polynomial 0xedb88320), as an unsigned integer. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The same as eight hexadecimal digits, to tell data apart. */
export function crc32Text(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}
