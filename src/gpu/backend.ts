/** What Deno's WebGPU or Dawn computes on. A type with two names means that nothing tells the two apart. */
export type Backend =
  | ("Vulkan" | "OpenGL" | "Metal" | "Vulkan or D3D12")
  | ("Dawn on Vulkan" | "Dawn on Metal" | "Dawn on D3D12");

/** Backends that are known without a look at their adapters. */
const told = new WeakMap<object, Backend>();

/** Tells an adapter's backend, for whoever opens the adapter and has chosen the backend. */
export function tellBackend(adapter: object, backend: Backend): void {
  told.set(adapter, backend);
}

/** Whether a backend is one of Dawn, which Chromium uses. */
export function isDawn(backend: Backend | undefined): boolean {
  return backend?.startsWith("Dawn") ?? false;
}

/** The facts about an adapter that tell its backend. */
export interface AdapterFacts {
  readonly info: Partial<Pick<GPUAdapterInfo, "vendor" | "device">>;
  readonly features: Pick<ReadonlySet<string>, "has">;
}

/**
 * What adapters of Vulkan, Metal and D3D12 have and Deno's OpenGL never has. OpenGL's shading language lacks the first,
 * and wgpu, Deno's WebGPU, implements neither of the others on it.
 */
const beyondOpenGL: readonly string[] = ["shader-f16", "bgra8unorm-storage", "float32-blendable"];

/**
 * The backend of one of Deno's adapters, or the one that was set by {@link tellBackend}; undefined for an adapter of a
 * browser, which does not show it.
 *
 * No interface names the backend, so it is worked out from what Deno shows. Vendor and device are numbers on some
 * backends and words on others. OpenGL does not know the number of the device, which is 0 for all of its adapters. In
 * Vulkan only software has 0, and in Metal every adapter. A software adapter of Vulkan, or an adapter of Metal, without
 * any feature of {@link beyondOpenGL} would be taken for OpenGL; none is known. On Windows two possibilities remain.
 * @param platform `navigator.platform`
 */
export function backendOf(adapter: AdapterFacts, platform: string): Backend | undefined {
  const known = told.get(adapter);
  if (known) return known;
  const { info, features } = adapter;
  if (!/^\d+$/.test(info.vendor ?? "")) return undefined;
  if (info.device === "0" && !beyondOpenGL.some((feature) => features.has(feature))) return "OpenGL";
  if (/^mac/i.test(platform)) return "Metal";
  return /^win/i.test(platform) ? "Vulkan or D3D12" : "Vulkan";
}

/**
 * An adapter in words, with its backend if that is known. Browsers leave the description empty. Dawn by itself
 * describes the driver there, and writes the device's name with dashes for everything but letters and digits.
 */
export function describeAdapter(info: GPUAdapterInfo, backend: Backend | undefined): string {
  const { description, vendor, architecture, device } = info;
  const words = [vendor, architecture, device].filter((word) => word !== "").join(" ");
  const deviceName = isDawn(backend) ? device.replaceAll(/^-+|-+$/g, "") : "";
  const name = deviceName || description || words || "unknown adapter";
  return backend ? `${name}, ${backend}` : name;
}

/** Where to find matrix units. */
export const matrixAdvice =
  "they are reached by Dawn (./run train:dawn) on GPUs whose driver has cooperative matrices";

/** What to do where Vulkan is missing. */
export const vulkanAdvice = "install a Vulkan driver (on Debian or Ubuntu `apt install mesa-vulkan-drivers`)";
