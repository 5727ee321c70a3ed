import pictures from "./pictures.json" with { type: "json" };

/** A picture file, and the RGB values that Pillow reads from it. */
export interface Sample {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array<ArrayBuffer>;
}

/** Small JPEG files of every kind, by name. pictures.py made them. */
export const jpegSamples: ReadonlyMap<string, Sample> = new Map(
  Object.entries(pictures).map(([name, { file, rgb, ...size }]) => [name, {
    ...size,
    file: Uint8Array.fromBase64(file),
    rgb: Uint8Array.fromBase64(rgb),
  }]),
);

/** One of {@link jpegSamples}, 23 by 17 pixels. */
export const plainJpeg: Uint8Array<ArrayBuffer> = jpegSamples.get("4:2:0")!.file;
