/**
 * Kinds of GPUs that need other tiles than most: Intel's, whose compiler runs out of registers, and AMD's before RDNA
 * and in CDNA, which compute 64 invocations at a time.
 */
export const gpuKinds = ["intel", "gcn"] as const;

/** One of {@link gpuKinds}. */
export type GpuKind = typeof gpuKinds[number];

/** What a kernel may have a variant for: a kind of GPU, or adapters in software, as lavapipe and SwiftShader are. */
export type AdapterKind = GpuKind | "software";

/** Names of AMD's GPUs with waves of 64, by chip or by product. */
const namesOfGcn =
  /\b(vega|raven|renoir|picasso|cezanne|polaris|fiji|tonga|hawaii|radeon vii|mi(50|60|100|2\d\d|3\d\d)|arcturus|aldebaran|gfx[789])/i;

/**
 * The kind of an adapter's GPU, if it is one of {@link gpuKinds}. Browsers name the vendor and the architecture. Deno
 * gives the vendor's number and the driver's description.
 */
export function gpuKind(
  { vendor, architecture, description }: Pick<GPUAdapterInfo, "vendor" | "architecture" | "description">,
): GpuKind | undefined {
  if (vendor === "intel" || vendor === `${0x8086}`) return "intel";
  if (vendor !== "amd" && vendor !== `${0x1002}`) return undefined;
  return /^(gcn|cdna)/.test(architecture) || namesOfGcn.test(description) ? "gcn" : undefined;
}
