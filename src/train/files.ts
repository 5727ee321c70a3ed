/** Where {@link writeAtomically} writes a file before it gets its name. */
export function partialPath(path: string): string {
  return `${path}.partial`;
}

/**
 * Writes a file so that a reader, or a crash at any moment, finds either the old contents or the new ones: written
 * under a temporary name, flushed, renamed.
 */
export async function writeAtomically(path: string, contents: Uint8Array | string): Promise<void> {
  const temporary = partialPath(path);
  const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  await file.sync();
  await Deno.rename(temporary, path);
}
