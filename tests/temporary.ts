/** Calls `use` with a new folder that holds the given files, and deletes it afterwards. */
export async function withFiles(
  files: Readonly<Record<string, Uint8Array>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
