/** What Deno's WebGPU computes on, or Dawn. Where there are two names, nothing tells which of the two it is. */
export type Backend =
  | ("Vulkan" | "OpenGL" | "Metal" | "Vulkan or D3D12")
  | ("Dawn on Vulkan" | "Dawn on Metal" | "Dawn on D3D12");

/** Backends that are known without looking at their adapters. */
const told = new WeakMap<object, Backend>();

/** Says what an adapter's backend is, where whoever opens it has chosen it. */
export function tellBackend(adapter: object, backend: Backend): void {
  told.set(adapter, backend);
}

/** Whether a backend is one of Dawn, as Chromium has it. */
export function isDawn(backend: Backend | undefined): boolean {
  return backend?.startsWith("Dawn") ?? false;
}

/** What of an adapter tells its backend. */
export interface AdapterFacts {
  readonly info: Partial<Pick<GPUAdapterInfo, "vendor" | "device">>;
  readonly features: Pick<ReadonlySet<string>, "has">;
}

/**
 * What Vulkan, Metal and D3D12 adapters have, and what Deno's OpenGL never has: its shading language lacks the first, and
 * wgpu, Deno's WebGPU, implements neither of the others on it.
 */
const beyondOpenGL: readonly string[] = ["shader-f16", "bgra8unorm-storage", "float32-blendable"];

/**
 * The backend of an adapter of Deno, or the one that it is {@link tellBackend | said to have}; nothing for one of a browser,
 * where it does not show.
 *
 * No interface names it, so it is told from what Deno shows. Vendor and device are numbers there, words elsewhere. OpenGL
 * knows no number of the device, so it is 0 for every adapter, which Vulkan has for software alone, and Metal for all. A
 * software adapter of Vulkan or one of Metal without any feature of {@link beyondOpenGL} would be taken for OpenGL; none is
 * known. What is left on Windows may be either of two.
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
 * An adapter in words, with its backend if that is known. Browsers leave the description empty; Dawn by itself describes the
 * driver there, and calls the device by its name, with dashes for what is neither a letter nor a digit.
 */
export function describeAdapter(info: GPUAdapterInfo, backend: Backend | undefined): string {
  const { description, vendor, architecture, device } = info;
  const words = [vendor, architecture, device].filter((word) => word !== "").join(" ");
  const deviceName = isDawn(backend) ? device.replaceAll(/^-+|-+$/g, "") : "";
  const name = deviceName || description || words || "unknown adapter";
  return backend ? `${name}, ${backend}` : name;
}

/** Where matrix units are found. */
export const matrixAdvice =
  "they are reached by Dawn (deno task train:dawn) on GPUs whose driver has cooperative matrices";

/** What to do where Vulkan is missing. */
export const vulkanAdvice = "install a Vulkan driver (on Debian or Ubuntu `apt install mesa-vulkan-drivers`)";
