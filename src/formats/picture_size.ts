import { FormatError } from "../errors.ts";
import { mostPixels } from "./budget.ts";

/** Width and height in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Checks what a header says, before memory is taken for it.
 * @param format name of the format, for messages
 * @param fileBytes of the file, which justify pixels
 * @param mostHeld the most pixels that the file's compressed data can hold, whatever they are
 * @throws {FormatError} if there are no pixels, more than are read, or more than the data can hold.
 */
export function requireSize(
  format: string,
  { width, height }: PictureSize,
  fileBytes: number,
  mostHeld: number,
): void {
  const pixels = width * height;
  if (pixels === 0) throw new FormatError(`${format}: the picture has ${width}×${height} pixels`);
  if (pixels > mostHeld) {
    throw new FormatError(
      `${format}: ${width}×${height} pixels are more than the file's data can hold; it is damaged or truncated`,
    );
  }
  const most = mostPixels(fileBytes);
  if (pixels > most) {
    const megapixels = (count: number) => Math.ceil(count / 1e6).toLocaleString("en");
    throw new FormatError(
      `${format}: ${width}×${height} pixels are ${megapixels(pixels)} megapixels, and at most ` +
        `${
          megapixels(most)
        } are read of a file of ${fileBytes} bytes, to bound the memory; make the picture smaller`,
    );
  }
}
