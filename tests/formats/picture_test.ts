import { encode as encodePngFile } from "fast-png";
import { encode as encodeJpegFile } from "jpeg-js";
import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { crc32 } from "../../src/formats/crc32.ts";
import { decodePicture } from "../../src/formats/picture.ts";
import { encodePng } from "../../src/formats/png.ts";
import { pythonWith, runPython } from "../python.ts";
import { refuses } from "../refusal.ts";
import { withFiles } from "../temporary.ts";

const [width, height] = [13, 7];
const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => i * 37 % 256);
const grey = Uint8Array.from({ length: width * height }, (_, i) => i * 11 % 256);
const repeated = (values: ArrayLike<number>) => Uint8Array.from(Array.from(values).flatMap((v) => [v, v, v]));

Deno.test("decodePicture() reads PNG in colour and grey, with 16 bits and transparency", async () => {
  assert.deepEqual(
    await decodePicture(new Uint8Array(encodePng({ width, height, channels: 3, data: rgb }))),
    {
      width,
      height,
      channels: 3,
      data: rgb,
    },
  );
  const decoded = async (image: Parameters<typeof encodePngFile>[0]) =>
    (await decodePicture(new Uint8Array(encodePngFile(image)))).data;
  assert.deepEqual(await decoded({ width, height, channels: 1, data: grey }), repeated(grey));
  const wide = Uint16Array.from(rgb, (value) => value << 8 | 0x55);
  assert.deepEqual(await decoded({ width, height, channels: 3, depth: 16, data: wide }), rgb);
  const transparent = Uint8Array.from(
    { length: width * height * 4 },
    (_, i) => i % 4 === 3 ? 128 : rgb[i - (i >> 2)]!,
  );
  assert.deepEqual(await decoded({ width, height, channels: 4, data: transparent }), rgb);
});

Deno.test("decodePicture() reads JPEG, close to what was encoded", async () => {
  const smooth = Uint8Array.from(
    { length: 32 * 24 * 4 },
    (_, i) => i % 4 === 3 ? 255 : (i >> 2) % 32 * 4 + 20 * (i % 4),
  );
  const bytes = new Uint8Array(encodeJpegFile({ width: 32, height: 24, data: smooth }, 95).data);
  const picture = await decodePicture(bytes);
  assert.deepEqual([picture.width, picture.height, picture.channels], [32, 24, 3]);
  picture.data.forEach((value, i) => {
    assert(Math.abs(value - smooth[Math.floor(i / 3) * 4 + i % 3]!) <= 12, `value ${i}`);
  });
});

Deno.test("decodePicture() refuses other files, damage, and sizes that the file cannot hold", async () => {
  const png = new Uint8Array(encodePng({ width, height, channels: 3, data: rgb }));
  const large = new Uint8Array(
    encodePng({ width: 200, height: 200, channels: 3, data: new Uint8Array(120_000) }),
  );
  const jpeg = new Uint8Array(
    encodeJpegFile({ width: 32, height: 24, data: new Uint8Array(32 * 24 * 4) }, 95).data,
  );
  const sized = (bytes: Uint8Array<ArrayBuffer>, at: number, ...values: number[]) => {
    const changed = bytes.slice();
    changed.set(values, at);
    return changed;
  };
  const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [new TextEncoder().encode("GIF89a"), /neither PNG nor JPEG/],
    [png.slice(0, png.length - 30), /PNG: the file is truncated/],
    [sized(png, 16, 0x7f), /PNG: \d+×7 pixels are too many/],
    [sized(large, 16, 0, 0, 0, 1, 0, 0, 0, 1), /unpack to more than/],
    [sized(png, 20, 0, 0, 1, 0), /incomplete/],
    [sized(png, 25, 7), /unknown colour type 7/],
    [sized(jpeg, frame + 5, 0x7f, 0xff, 0x7f, 0xff), /JPEG: \d+ bytes cannot hold 32767×32767 pixels/],
    [jpeg.slice(0, frame), /JPEG: there is no picture/],
  ];
  for (const [bytes, message] of cases) await refuses(decodePicture(bytes), FormatError, message);
});

Deno.test("decodePicture() passes over what is no picture: profiles, thumbnails and comments of any content", async () => {
  const jpeg = new Uint8Array(
    encodeJpegFile({ width: 32, height: 24, data: new Uint8Array(32 * 24 * 4).fill(200) }, 95).data,
  );
  // The header of a frame of 65535×65535 pixels inside an EXIF segment is not one of the picture.
  const exif = [
    0xff,
    0xe1,
    0,
    22,
    ...new TextEncoder().encode("Exif\0\0"),
    0xff,
    0xc0,
    0,
    11,
    8,
    255,
    255,
    255,
    255,
  ]
    .concat([3, 0, 0, 0, 0]);
  const photo = Uint8Array.from([...jpeg.subarray(0, 2), ...exif, ...jpeg.subarray(2)]);
  assert.deepEqual(await decodePicture(photo), await decodePicture(jpeg));

  const png = new Uint8Array(encodePng({ width, height, channels: 3, data: rgb }));
  // A colour profile whose compressed data are not even that.
  const profile = [...new TextEncoder().encode("iCCPx\0\0"), 1, 2, 3];
  const chunk = [0, 0, 0, profile.length - 4, ...profile, ...bigEndian(crc32(Uint8Array.from(profile)))];
  const profiled = Uint8Array.from([...png.subarray(0, 33), ...chunk, ...png.subarray(33)]);
  assert.deepEqual((await decodePicture(profiled)).data, rgb);
});

Deno.test("decodePicture() refuses JPEG files of hundreds of scans, each of which walks over the picture", async () => {
  const jpeg = new Uint8Array(encodeJpegFile({ width: 8, height: 8, data: new Uint8Array(256) }, 95).data);
  const scan = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xda);
  const scans = Array.from({ length: 300 }, () => [...jpeg.subarray(scan, -2)]).flat();
  const bytes = Uint8Array.from([...jpeg.subarray(0, scan), ...scans, 0xff, 0xd9]);
  await refuses(decodePicture(bytes), FormatError, /JPEG: 300 scans; at most 200 are read/);
});

const bigEndian = (value: number) => [24, 16, 8, 0].map((shift) => value >>> shift & 0xff);

const python = await pythonWith("PIL.Image");

Deno.test({
  name: "decodePicture() equals Pillow on palettes, bits and grey JPEG (skipped without python3-pil)",
  ignore: python === undefined,
  async fn() {
    const script = `
import sys
from PIL import Image
base = Image.frombytes("RGB", (${width}, ${height}), bytes((i * 37) % 256 for i in range(${
      width * height * 3
    })))
pictures = {"p.png": base.quantize(16), "bits.png": base.convert("1"), "grey.jpg": base.convert("L"), "la.png": base.convert("LA"),
  "p4.png": base.quantize(4)}
for name, picture in pictures.items():
    picture.save(sys.argv[1] + "/" + name)
    again = Image.open(sys.argv[1] + "/" + name)
    print(" ".join(str(v) for v in again.convert("RGB").tobytes()))`;
    await withFiles({}, async (folder) => {
      const lines = (await runPython(python!, script, folder)).trim().split("\n");
      for (const [i, name] of ["p.png", "bits.png", "grey.jpg", "la.png", "p4.png"].entries()) {
        const { data } = await decodePicture(await Deno.readFile(`${folder}/${name}`));
        const expected = lines[i]!.split(" ").map(Number);
        // Decoders of JPEG may round the transform differently.
        const tolerance = name.endsWith("jpg") ? 2 : 0;
        assert(data.every((value, k) => Math.abs(value - expected[k]!) <= tolerance), name);
      }
    });
  },
});
