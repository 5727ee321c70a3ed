import { FormatError } from "../../errors.ts";
import { mostPixels } from "../budget.ts";

/** Width and height in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Checks what a header says before memory is taken for it.
 * @param format name of the format, for messages
 * @param fileBytes size of the file, which limits the number of pixels
 * @param mostHeld the most pixels that any compressed data of this size can hold
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
  const requireAtMost = (most: number, of: string) => {
    if (pixels <= most) return;
    const megapixels = (count: number) => Math.ceil(count / 1e6).toLocaleString("en");
    throw new FormatError(
      `${format}: ${width}×${height} pixels are ${megapixels(pixels)} megapixels, and at most ` +
        `${megapixels(most)} are read${of}, to bound the memory; make the picture smaller`,
    );
  };
  requireAtMost(mostPixels(Infinity), "");
  if (pixels > mostHeld) {
    throw new FormatError(
      `${format}: ${width}×${height} pixels are more than the file's data can hold; it is damaged or truncated`,
    );
  }
  requireAtMost(mostPixels(fileBytes), ` of a file of ${fileBytes} bytes`);
}
