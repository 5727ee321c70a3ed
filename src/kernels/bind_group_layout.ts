/**
 * How a kernel uses one binding: a storage buffer that it reads (`var<storage, read>`) or also writes
 * (`var<storage, read_write>`), or a texture that it reads (`texture_2d<f32>`).
 */
export type Access = "read" | "read-write" | "texture";

/**
 * Entries of the layout of a kernel's bind group. They are spelled out because `layout: "auto"` leaves out bindings
 * that an entry point does not use.
 * @param access access of each binding, in order
 * @param uniformBinding the binding of the uniform buffer, if there is one
 */
export function bindGroupLayoutEntries(
  access: readonly Access[],
  uniformBinding: number | undefined,
): GPUBindGroupLayoutEntry[] {
  const visibility = GPUShaderStage.COMPUTE;
  const entries = access.map((access, binding): GPUBindGroupLayoutEntry => ({
    binding,
    visibility,
    ...(access === "texture"
      ? { texture: { sampleType: "unfilterable-float" } }
      : { buffer: { type: access === "read" ? "read-only-storage" : "storage" } }),
  }));
  if (uniformBinding === undefined) return entries;
  return [...entries, { binding: uniformBinding, visibility, buffer: { type: "uniform" } }];
}
