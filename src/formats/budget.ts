/**
 * How much memory and work a file of a stranger may take. A reader stops at these limits with an error of one line, long
 * before the machine is in trouble: any file is to be refused within about two seconds and half a gigabyte. The limits are
 * far above what models and data sets need.
 */

/** The most bytes that deflate can pack into one: a match of 258 bytes takes two bits (RFC 1951, section 3.2). */
export const deflateGain = 1032;

/** Compressed bytes that are unpacked at once: what they give, at most 17 MB, is there before anyone can count it. */
export const unpackedAtOnce = 2 ** 14;

/** Files in a zip archive: a model has one for each tensor, about 200, and the largest networks some thousands. */
export const mostFiles = 100_000;

/** Bytes of a file's name in an archive: paths of most systems end there. */
export const longestFileName = 4096;

/** Tensors in a file. */
export const mostTensors = 100_000;

/** Bytes that are read at once: the largest arrays are weights, and replay buffers of some hundred thousand images. */
export const mostArrayBytes: number = 2 ** 32;

/** Bytes of a tensor file's header: 16 MiB are 150,000 tensors. */
export const longestHeader: number = 2 ** 24;

/** Bytes of a zip archive's directory: a hundred for each of {@link mostFiles} are 10 MB. */
export const longestDirectory: number = 2 ** 25;

/**
 * Bytes of the pickles that describe a file's tensors. Those of a model of 200 tensors have 30 kB; arrays of NumPy are
 * within them, such as a replay buffer of 10,000 images of 32×32 pixels with 123 MB.
 */
export const longestPickle: number = 2 ** 27;

/** Bytes of a pickle that is compressed, which `torch.save` never does. */
export const longestPackedPickle: number = 2 ** 24;

/** Bytes of storages that tensors may be small parts of: a slice is saved with all that it was cut from. */
export const looseStorageBytes: number = 2 ** 28;

/**
 * What a pickle's values take in memory, in bytes: estimates, checked only by the peaks that
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
 * Bytes that a pickle's values may take. A tensor with its storage, name, shape and entries takes about 2 kB; a history of
 * losses with a million numbers is within what there is besides.
 * @param storages how many tensors' data can be in the file
 */
export function pickleBudget(storages: number): number {
  return 2 ** 26 + 2048 * Math.min(storages, mostTensors);
}

/** Bytes of a picture's file: photographs of 100 megapixels have 60 MB as JPEG, PNG files of 40 megapixels 120 MB. */
export const mostPictureBytes: number = 2 ** 27;

/**
 * The most pixels of a picture whose file has `fileBytes` bytes. Photographs take a bit a pixel or more, so that those of
 * all cameras are within four pixels a byte, or within the 25 megapixels that any file may have. Decoding takes up to 15 bytes for each.
 */
export function mostPixels(fileBytes: number): number {
  return Math.min(200_000_000, 25_000_000 + 4 * fileBytes);
}

/** Chunks of a PNG file: the smallest that programs write have 4 kB, so that these are 400 MB. */
export const mostPngChunks = 100_000;

/** Scans of a progressive JPEG. */
export const mostScans = 100;

/**
 * Pixels that all scans of a progressive JPEG may walk over: each scan walks over the whole picture, however few its bytes.
 * Cameras and programs make about ten scans.
 */
export function mostScannedPixels(fileBytes: number): number {
  return 100_000_000 + 64 * fileBytes;
}
