import { CheckpointError, DataError } from "../../src/errors.ts";
import { isPyTorch } from "../../src/formats/pytorch/pytorch.ts";
import { printable } from "../../src/formats/text.ts";

/** Enough bytes to tell what kind of file it is. */
const signatureBytes = 64;

const taken = "this page takes .safetensors and .pt files that sada-jem or the official SADA-JEM code wrote";

/**
 * The bytes of a file that may be a model. Of any other file only the beginning is read.
 * @throws {CheckpointError} if it is not a model, or cannot be read.
 */
export async function modelBytes(name: string, file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (mayBeModel(await bytesOf(file.slice(0, signatureBytes)))) return await bytesOf(file);
  } catch {
    throw new CheckpointError(`${printable(name)} cannot be read; ${taken}`);
  }
  throw new CheckpointError(`${printable(name)} is no model; ${taken}`);
}

/** The message about a model file that could not be opened. */
export function refusal(name: string, error: unknown): unknown {
  if (!(error instanceof CheckpointError || error instanceof DataError)) return error;
  return new CheckpointError(`${printable(name)} cannot be opened (${error.message}); ${taken}`);
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}

/** Whether a file begins like those of PyTorch, or with the length of a header and a brace, like safetensors files. */
function mayBeModel(beginning: Uint8Array): boolean {
  if (isPyTorch(beginning)) return true;
  const brace = 0x7b;
  return beginning[8] === brace && beginning.subarray(4, 8).every((byte) => byte === 0);
}
