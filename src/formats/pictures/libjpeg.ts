/** libjpeg-turbo as WebAssembly. It sees the file that it is given, and its own memory. */

import libjpegModule from "@cwasm/jpeg-turbo/jpeg-turbo.wasm" with { type: "bytes" };
import { FormatError } from "../../errors.ts";
import type { PictureSize } from "./picture_size.ts";

/** TurboJPEG's codes for the layout of pixels. */
const pixelFormats = { rgb: { code: 0, channels: 3 }, cmyk: { code: 11, channels: 4 } } as const;
/** Memory of WebAssembly never shrinks, so an instance that has grown beyond this is given up. */
const mostKeptBytes = 2 ** 26;

/** The module's exports of TurboJPEG, and the C library's memory. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(pointer: number): void;
  tjInitDecompress(): number;
  /** The last four arguments are where it puts width, height, subsampling and colours. */
  tjDecompressHeader3(
    handle: number,
    file: number,
    fileBytes: number,
    width: number,
    height: number,
    subsampling: number,
    colours: number,
  ): number;
  tjDecompress2(
    handle: number,
    file: number,
    fileBytes: number,
    pixels: number,
    width: number,
    rowBytes: number,
    height: number,
    pixelFormat: number,
    flags: number,
  ): number;
  tjDestroy(handle: number): number;
}

let compiled: WebAssembly.Module | undefined;
let instance: Exports | undefined;

/**
 * Decodes a JPEG file with libjpeg's own transform, upsampling and colours. The result equals Pillow's, bit for bit.
 * Damage that libjpeg tolerates is tolerated.
 * @param format `cmyk` for four components as they are stored, `rgb` for one or three
 * @param taken takes the pixels from the library's memory, which is reused afterwards
 * @throws {FormatError} if libjpeg refuses the file.
 */
export function decompressJpeg(
  bytes: Uint8Array,
  { width, height }: PictureSize,
  format: keyof typeof pixelFormats,
  taken: (pixels: Uint8Array) => Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { code, channels } = pixelFormats[format];
  const length = width * height * channels;
  const library = instance ??= instantiate();
  // An error leaves the instance in an unknown state. It becomes the current one again only after a success.
  instance = undefined;
  const allocate = (size: number) => {
    const pointer = library.malloc(size) >>> 0;
    if (pointer === 0) throw new FormatError(`JPEG: there is no memory to decode ${width}×${height} pixels`);
    return pointer;
  };
  const file = allocate(bytes.length);
  const pixels = allocate(length);
  const header = allocate(16);
  new Uint8Array(library.memory.buffer, file, bytes.length).set(bytes);
  const handle = library.tjInitDecompress();
  // The results tell warnings from success. Errors are thrown.
  library.tjDecompressHeader3(handle, file, bytes.length, header, header + 4, header + 8, header + 12);
  const [seenWidth, seenHeight] = new Int32Array(library.memory.buffer, header, 2);
  if (seenWidth !== width || seenHeight !== height) {
    throw new FormatError("JPEG: the file states two sizes; it is damaged");
  }
  library.tjDecompress2(handle, file, bytes.length, pixels, width, width * channels, height, code, 0);
  const decoded = taken(new Uint8Array(library.memory.buffer, pixels, length));
  library.tjDestroy(handle);
  for (const pointer of [header, pixels, file]) library.free(pointer);
  if (library.memory.buffer.byteLength <= mostKeptBytes) instance = library;
  return decoded;
}

function instantiate(): Exports {
  compiled ??= new WebAssembly.Module(libjpegModule);
  const fail = () => {
    throw new FormatError("JPEG: the picture's data are damaged");
  };
  const nothing = () => 0;
  // libjpeg reports an error by a jump to where the call began. Here that is an exception.
  const imports = {
    env: { setjmp: nothing, longjmp: fail },
    wasi_snapshot_preview1: {
      environ_sizes_get: nothing,
      environ_get: nothing,
      fd_close: nothing,
      fd_seek: nothing,
      fd_write: nothing,
      proc_exit: fail,
    },
  };
  return new WebAssembly.Instance(compiled, imports).exports as unknown as Exports;
}
