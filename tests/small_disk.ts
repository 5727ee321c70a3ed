/** Whether a small file system can be mounted here; only the super-user may. */
export async function mount(folder: string, kibibytes: number): Promise<boolean> {
  const options = ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder];
  try {
    return (await new Deno.Command("mount", { args: options, stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
