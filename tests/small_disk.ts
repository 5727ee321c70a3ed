/** Mounts a small file system, and returns whether that worked. Only root may do it. */
export async function mount(folder: string, kibibytes: number): Promise<boolean> {
  const options = ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder];
  try {
    return (await new Deno.Command("mount", { args: options, stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
