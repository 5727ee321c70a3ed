/// <reference lib="dom" />
import { pixelsOf } from "../../src/data/dataset.ts";
import { cropAndResize } from "../../src/data/pictures/resize.ts";
import { DataError } from "../../src/errors.ts";
import type { ByteImage } from "../../src/formats/pictures/png.ts";
import { printable } from "../../src/formats/text.ts";

/** Largest side at which a picture is kept until it is resized, to bound the memory that large ones take. */
const mostSide = 1024;

/**
 * A picture of any format that the browser knows, upright, as an image `[side, side, 3]` in [−1, 1]: its central
 * square, resized as a data set of pictures is.
 * @throws {DataError} naming the file if the browser cannot decode it.
 */
export async function pictureImage(
  name: string,
  file: Blob,
  side: number,
): Promise<Float32Array<ArrayBuffer>> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new DataError(`${printable(name)} is no picture that this browser can read`);
  });
  try {
    return pixelsOf(cropAndResize(centralSquare(bitmap), side), 255);
  } finally {
    bitmap.close();
  }
}

function centralSquare(bitmap: ImageBitmap): ByteImage {
  const side = Math.min(bitmap.width, bitmap.height);
  const kept = Math.min(side, mostSide);
  const context = new OffscreenCanvas(kept, kept).getContext("2d", { alpha: false })!;
  context.imageSmoothingQuality = "high";
  const [left, top] = [bitmap.width, bitmap.height].map((extent) => Math.floor((extent - side) / 2));
  context.drawImage(bitmap, left!, top!, side, side, 0, 0, kept, kept);
  const { data } = context.getImageData(0, 0, kept, kept);
  const channels = 3;
  const rgb = data.filter((_, i) => i % 4 < channels);
  return { width: kept, height: kept, channels, data: new Uint8Array(rgb.buffer) };
}
