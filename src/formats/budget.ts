/**
 * How much memory and work an untrusted file may take. At these limits a reader stops with a one-line error, long
 * before the machine is in trouble: it should refuse any file within about two seconds and half a gigabyte. The limits
 * are far above what models and data sets need.
 */

/** The most bytes that deflate can pack into one: a match of 258 bytes takes two bits (RFC 1951, section 3.2). */
export const deflateGain = 1032;

/**
 * Compressed bytes that are unpacked at once. What they unpack to, at most 17 MB, is there before anyone can count it.
 */
export const unpackedAtOnce = 2 ** 14;

/** Files in a zip archive. A model has one for each tensor, about 200, and the largest networks some thousands. */
export const mostFiles = 100_000;

/** Bytes of a file's name in an archive. Most systems end paths there. */
export const longestFileName = 4096;

/** Tensors in a file. */
export const mostTensors = 100_000;

/** Bytes that are read at once. The largest arrays are weights, and replay buffers of some hundred thousand images. */
export const mostArrayBytes: number = 2 ** 32;

/** Bytes of a tensor file's header. 16 MiB describe 150,000 tensors. */
export const longestHeader: number = 2 ** 24;

/** Bytes of a zip archive's directory. A hundred for each of {@link mostFiles} make 10 MB. */
export const longestDirectory: number = 2 ** 25;

/**
 * Bytes of the pickles that describe a file's tensors. Those of a model with 200 tensors have 30 kB. NumPy's arrays are
 * inside them, such as a replay buffer of 10,000 images of 32×32 pixels with 123 MB.
 */
export const longestPickle: number = 2 ** 27;

/** Bytes of a pickle that is compressed, which `torch.save` never does. */
export const longestPackedPickle: number = 2 ** 24;

/** Bytes of storages that tensors may be small parts of. A slice is saved with everything that it was cut from. */
export const looseStorageBytes: number = 2 ** 28;

/**
 * Memory that a pickle's values take, in bytes. These are estimates, checked only by the peaks that
 * `tests/fuzz/hostile_files_test.ts` allows. Every operation costs at least the first.
 */
export const pickleCosts = {
  operation: 16,
  number: 16,
  list: 64,
  dictionary: 512,
  entry: 64,
  object: 160,
  memo: 16,
} as const;

/**
 * Bytes that a pickle's values may take. A tensor with its storage, name, shape and entries takes about 2 kB. A history
 * of losses with a million numbers fits into the rest.
 * @param storages number of tensors whose data can be in the file
 */
export function pickleBudget(storages: number): number {
  return 2 ** 26 + 2048 * Math.min(storages, mostTensors);
}

/** Bytes of a picture's file. Photographs of 100 megapixels have 60 MB as JPEG, PNG files of 40 megapixels 120 MB. */
export const mostPictureBytes: number = 2 ** 27;

/**
 * The most pixels of a picture whose file has `fileBytes` bytes. Photographs take at least about a bit for a pixel, so
 * those of all cameras stay below four pixels a byte, or below the 25 megapixels that any file may have. Decoding takes
 * up to 15 bytes for each pixel.
 */
export function mostPixels(fileBytes: number): number {
  return Math.min(200_000_000, 25_000_000 + 4 * fileBytes);
}

/** Chunks of a PNG file. The smallest that programs write have 4 kB, so these are 400 MB. */
export const mostPngChunks = 100_000;

/** Scans of a progressive JPEG. */
export const mostScans = 100;

/**
 * Pixels that all scans of a progressive JPEG may visit. Each scan visits the whole picture, however few bytes it has.
 * Cameras and programs write about ten scans.
 */
export function mostScannedPixels(fileBytes: number): number {
  return 100_000_000 + 64 * fileBytes;
}
