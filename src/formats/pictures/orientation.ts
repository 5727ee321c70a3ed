import type { ByteImage } from "./png.ts";

/** How to turn a picture, as EXIF numbers it: 1 as it is, 2 to 8 mirrored, turned or both. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const orientationTag = 0x0112;
/** TIFF's codes for unsigned integers of 16 and 32 bits. */
const [short, long] = [3, 4];

/**
 * The orientation in EXIF data (CIPA DC-008, tag 274 of the first directory).
 * @param exif the data as TIFF lays them out, from the byte order on
 * @returns 1 if there is none, or the data are damaged, because viewers show such pictures as they are
 */
export function exifOrientation(exif: Uint8Array): Orientation {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  if (exif.length < 8) return 1;
  const little = view.getUint16(0) === 0x4949;
  if (!little && view.getUint16(0) !== 0x4d4d || view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > exif.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > exif.length) return 1;
    if (view.getUint16(at, little) !== orientationTag) continue;
    const type = view.getUint16(at + 2, little);
    if (type !== short && type !== long) return 1;
    const value = type === short ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little);
    return value >= 1 && value <= 8 ? value as Orientation : 1;
  }
  return 1;
}

/** A picture turned so that it stands upright. */
export function upright(picture: ByteImage, orientation: Orientation): ByteImage {
  if (orientation === 1) return picture;
  const { width, height, channels, data } = picture;
  // Orientations 5 to 8 swap the axes. The source of a pixel is a linear function of its place.
  const swapped = orientation >= 5;
  const [newWidth, newHeight] = swapped ? [height, width] : [width, height];
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBottom = [3, 4, 6, 7].includes(orientation);
  const turned = new Uint8Array(data.length);
  for (let y = 0, target = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      const [column, row] = swapped ? [y, x] : [x, y];
      const source = (fromBottom ? height - 1 - row : row) * width +
        (fromRight ? width - 1 - column : column);
      for (let c = 0; c < channels; c++) turned[target++] = data[source * channels + c]!;
    }
  }
  return { width: newWidth, height: newHeight, channels, data: turned };
}
