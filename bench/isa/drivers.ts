/** Where Debian's package of Mesa's Vulkan drivers puts the files that name them. */
const folder = "/usr/share/vulkan/icd.d";

/** Mesa's drivers: RADV for AMD, ANV for Intel, lavapipe for processors. */
export type DriverName = "radeon" | "intel" | "lvp";

/** The file that makes a Vulkan program use only one driver; undefined if it is not installed. */
export function driverFile(driver: DriverName): string | undefined {
  try {
    // Debian 12 adds the architecture to the name.
    const pattern = RegExp(`^${driver}_icd(?:\\.\\w+)?\\.json$`);
    const file = [...Deno.readDirSync(folder)].find(({ name }) => pattern.test(name));
    return file && `${folder}/${file.name}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
