import { encode as encodePngFile } from "fast-png";
import assert from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import { concatenate } from "../../../src/formats/bytes.ts";
import { decodePicture } from "../../../src/formats/pictures/picture.ts";
import { requireSize } from "../../../src/formats/pictures/picture_size.ts";
import { encodePng } from "../../../src/formats/pictures/png.ts";
import { jpegSamples, plainJpeg } from "./picture_samples.ts";
import { pngChannels, pngChunk, pngData, pngFile, pngHeader, type PngPicture } from "./png_files.ts";

const [width, height] = [13, 7];
const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => i * 37 % 256);
const png = new Uint8Array(encodePng({ width, height, channels: 3, data: rgb }));
const end = pngChunk("IEND", []);
const plain = { width, height, depth: 8, colour: 2, interlaced: false, samples: rgb };

/** The file with some bytes replaced. */
function changed(bytes: Uint8Array<ArrayBuffer>, at: number, ...values: number[]): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

function refusesPicture(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => decodePicture(bytes), (error) => {
    assert(error instanceof FormatError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("decodePicture() reads every kind of JPEG as Pillow does, upright", async (t) => {
  for (const [name, { file, width, height, rgb }] of jpegSamples) {
    await t.step(name, () => {
      const picture = decodePicture(file);
      assert.deepEqual([picture.width, picture.height, picture.channels], [width, height, 3]);
      assert.deepEqual(picture.data, rgb);
    });
  }
});

Deno.test("decodePicture() reads PNG of every colour type and depth, interlaced or not, from 1×1 to 9×9", () => {
  const depths: Record<number, number[]> = {
    0: [1, 2, 4, 8, 16],
    2: [8, 16],
    3: [1, 2, 4, 8],
    4: [8, 16],
    6: [8, 16],
  };
  const palette = Uint8Array.from({ length: 768 }, (_, i) => i * 91 % 251);
  const sizes = [...Array(9).keys()].flatMap((i) => [[i + 1, i + 1], [i + 1, 1], [1, i + 1], [i + 1, 9 - i]]);
  for (
    const [colour, depth] of Object.keys(depths).flatMap((key) =>
      depths[Number(key)]!.map((d) => [Number(key), d])
    )
  ) {
    for (const [width, height] of sizes) {
      const channels = pngChannels[colour!]!;
      const samples = Array.from(
        { length: width! * height! * channels },
        (_, i) => (i * 40503 + 17 * (i >> 3)) % 2 ** depth!,
      );
      const upper = (sample: number) => depth === 16 ? sample >> 8 : sample * 255 / (2 ** depth! - 1);
      const expected = Array.from({ length: width! * height! * 3 }, (_, i) => {
        const own = samples.slice(Math.floor(i / 3) * channels);
        return colour === 3 ? palette[own[0]! * 3 + i % 3]! : upper(own[channels > 2 ? i % 3 : 0]!);
      });
      for (const interlaced of [false, true]) {
        const picture = {
          width: width!,
          height: height!,
          depth: depth!,
          colour: colour!,
          interlaced,
          samples,
        };
        const chunks = [pngHeader(picture), pngChunk("PLTE", palette.slice(0, 3 * 2 ** Math.min(depth!, 8)))];
        const file = pngFile(...chunks, pngChunk("IDAT", pngData(picture)), end);
        assert.deepEqual(
          [...decodePicture(file).data],
          expected,
          `${colour}, ${depth} bits, ${width}×${height}`,
        );
      }
    }
  }
});

Deno.test("decodePicture() undoes the filters that another encoder chooses", () => {
  assert.deepEqual(decodePicture(png), { width, height, channels: 3, data: rgb });
  const [side, channels] = [64, 4];
  // A ramp and a texture, which suit different filters.
  const data = Uint8Array.from(
    { length: side * side * channels },
    (_, i) => i % 977 < 400 ? i >> 4 : i * i >> 3,
  );
  const decoded = decodePicture(encodePngFile({ width: side, height: side, channels, data }));
  assert.deepEqual(decoded.data, data.filter((_, i) => i % 4 < 3));
});

Deno.test("decodePicture() passes over a true-colour PNG's palette, other chunks, and bytes behind the data or the end", () => {
  const header = pngHeader(plain);
  const data = pngData(plain);
  const idat = pngChunk("IDAT", data);
  const files = [
    pngFile(header, pngChunk("PLTE", Array(48).fill(7)), pngChunk("tRNS", [0, 1, 0, 1, 0, 1]), idat, end),
    // The first has a colour profile whose compressed data are invalid, the second a wrong checksum.
    pngFile(header, pngChunk("iCCP", [120, 0, 0, 1, 2, 3]), idat, end),
    pngFile(header, changed(new Uint8Array(pngChunk("gAMA", [0, 0, 1, 2])), 13, 99), idat, end),
    pngFile(header, ...[...data].flatMap((byte) => [pngChunk("IDAT", [byte]), pngChunk("IDAT", [])]), end),
    pngFile(header, pngChunk("IDAT", [...data, ...Array(100).fill(9)]), end),
    pngFile(header, idat, end, Uint8Array.from(Array(100).fill(9))),
    pngFile(
      header,
      pngChunk("acTL", [0, 0, 0, 1, 0, 0, 0, 0]),
      idat,
      pngChunk("fdAT", [0, 0, 0, 1, 9, 9]),
      end,
    ),
    pngFile(header, idat),
  ];
  for (const [i, file] of files.entries()) assert.deepEqual(decodePicture(file).data, rgb, `file ${i}`);
});

Deno.test("decodePicture() turns a PNG by its EXIF", () => {
  const exif = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0];
  const file = pngFile(pngHeader(plain), pngChunk("eXIf", exif), pngChunk("IDAT", pngData(plain)), end);
  const pixels = Array.from({ length: width * height }, (_, i) => rgb.subarray(3 * i, 3 * i + 3));
  assert.deepEqual(decodePicture(file).data, concatenate(pixels.reverse()));
});

/** A file whose header states a size that does not match its data. */
function pngOfSize(size: Partial<PngPicture>): Uint8Array<ArrayBuffer> {
  return pngFile(pngHeader({ ...plain, ...size }), pngChunk("IDAT", pngData(plain)), end);
}

Deno.test("decodePicture() refuses PNG files that are damaged, of no such kind, or too large, and says why", () => {
  const truncated = pngFile(pngHeader(plain), pngChunk("IDAT", pngData(plain).slice(0, 60)), end);
  const unpacked = pngFile(pngHeader(plain), pngChunk("IDAT", Array(200).fill(0)), end);
  const unfiltered = { ...plain, width: 1, height: 1, depth: 8, colour: 3 };
  const cases: [Uint8Array, RegExp][] = [
    [png.slice(0, png.length - 30), /PNG: the file is truncated/],
    [truncated, /PNG: the picture's data are incomplete/],
    [unpacked, /PNG: the compressed data are damaged/],
    [changed(png, 30, png[30]! ^ 1), /the checksum of IHDR does not match/],
    [changed(png, 50, png[50]! ^ 1), /the checksum of IDAT does not match/],
    [pngOfSize({ height: 256 }), /incomplete/],
    [pngOfSize({ width: 0 }), /0×7 pixels/],
    [pngOfSize({ width: 5000, height: 3000 }), /5000×3000 pixels are more than the file's data can hold/],
    [pngOfSize({ width: 20_000, height: 10_001 }), /201 megapixels, and at most 200 are read/],
    [pngOfSize({ width: 2 ** 31, height: 2 ** 31 }), /megapixels, and at most 200 are read/],
    [pngOfSize({ colour: 7 }), /no colour type 7 of 8 bits/],
    [pngOfSize({ depth: 4 }), /no colour type 2 of 4 bits/],
    [pngOfSize({ colour: 3 }), /palette is missing/],
    [
      pngFile(
        pngHeader(unfiltered),
        pngChunk("PLTE", [1, 2, 3]),
        pngChunk("IDAT", pngData({ ...unfiltered, samples: [1] })),
        end,
      ),
      /not in the palette/,
    ],
    [pngFile(end), /no header/],
  ];
  for (const [bytes, message] of cases) refusesPicture(bytes, message);
});

Deno.test("decodePicture() refuses JPEG files that are damaged, of another kind, or too large, and says why", () => {
  const frame = plainJpeg.findIndex((byte, i) => byte === 0xff && plainJpeg[i + 1] === 0xc0);
  const scan = plainJpeg.findIndex((byte, i) => byte === 0xff && plainJpeg[i + 1] === 0xda);
  const tables = plainJpeg.findIndex((byte, i) => byte === 0xff && plainJpeg[i + 1] === 0xc4);
  const cases: [Uint8Array, RegExp][] = [
    [changed(plainJpeg, frame + 4, 12), /JPEG: 12 bits a sample; only 8 are read/],
    [changed(plainJpeg, frame + 1, 0xc3), /JPEG: lossless coding is not read/],
    [changed(plainJpeg, frame + 1, 0xc9), /JPEG: arithmetic coding is not read/],
    [changed(plainJpeg, frame + 1, 0xcb), /JPEG: lossless coding is not read/],
    [changed(plainJpeg, frame + 1, 0xc5), /JPEG: hierarchical coding is not read/],
    [changed(plainJpeg, frame + 9, 2), /JPEG: 2 components; only 1, 3 and 4/],
    [changed(plainJpeg, frame + 5, 0, 0), /JPEG: the picture has 23×0 pixels/],
    [
      changed(plainJpeg, frame + 5, 0x20, 0, 0x20, 0),
      /8192×8192 pixels are more than the file's data can hold/,
    ],
    [changed(plainJpeg, frame + 5, 0x7f, 0xff, 0x7f, 0xff), /1,074 megapixels, and at most 200 are read/],
    [changed(plainJpeg, tables + 4, 0xff), /JPEG: the picture's data are damaged/],
    [plainJpeg.slice(0, scan + 40), /JPEG: the file is truncated/],
    [plainJpeg.slice(0, frame), /JPEG: there is no picture/],
    [plainJpeg.slice(0, 3), /JPEG: there is no picture/],
  ];
  for (const [bytes, message] of cases) refusesPicture(bytes, message);
  // A refused file must leave nothing behind that would spoil the next one.
  assert.deepEqual(decodePicture(plainJpeg).data, jpegSamples.get("4:2:0")!.rgb);
});

Deno.test("requireSize() lets through what cameras make, and no more than the data can hold", () => {
  for (const [width, height] of [[9000, 8000], [16_320, 12_240], [1, 65_535]] as const) {
    requireSize("PNG", { width, height }, width * height / 4, width * height);
    assert.throws(
      () => requireSize("PNG", { width, height }, width * height / 4, width * height - 1),
      /than the file's data can hold/,
    );
  }
  assert.throws(
    () => requireSize("PNG", { width: 20_001, height: 10_000 }, 1e9, Infinity),
    /PNG: 20001×10000 pixels are 201 megapixels, and at most 200 are read, to bound the memory; make the picture/,
  );
});

Deno.test("decodePicture() refuses JPEG files of hundreds of scans, each of which walks over the picture", () => {
  const scan = plainJpeg.findIndex((byte, i) => byte === 0xff && plainJpeg[i + 1] === 0xda);
  const scans = Array.from({ length: 300 }, () => [...plainJpeg.subarray(scan, -2)]).flat();
  const bytes = Uint8Array.from([...plainJpeg.subarray(0, scan), ...scans, 0xff, 0xd9]);
  refusesPicture(bytes, /JPEG: 300 scans; at most 100 are read/);
});

Deno.test("decodePicture() refuses other formats by name, whatever the file is called", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const cases: [Uint8Array, RegExp][] = [
    [text("RIFF....WEBPVP8 "), /the picture is a WebP file; only PNG and JPEG are read/],
    [text("GIF89a"), /a GIF file/],
    [text("BM......"), /a BMP file/],
    [text("II*\0...."), /a TIFF file/],
    [text("MM\0*...."), /a TIFF file/],
    [text("....ftypavif"), /an? AVIF file/],
    [text("....ftypheic"), /an? HEIC file/],
    [text("<html>"), /neither PNG nor JPEG/],
    [new Uint8Array(), /neither PNG nor JPEG/],
  ];
  for (const [bytes, message] of cases) refusesPicture(bytes, message);
});
