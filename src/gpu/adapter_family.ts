/** The families of adapters that kernels are chosen for. */
export const adapterFamilies = ["lavapipe", "slow-compiler", "gpu"] as const;

/**
 * The kind of adapter that kernels are chosen for: Mesa's software driver; an implementation that takes seconds to
 * compile what others compile at once (SwiftShader); or any other adapter, which is taken for a GPU.
 */
export type AdapterFamily = typeof adapterFamilies[number];

/** The family of an adapter, told by its description. */
export function adapterFamily(description: string): AdapterFamily {
  if (/llvmpipe/i.test(description)) return "lavapipe";
  return /swiftshader/i.test(description) ? "slow-compiler" : "gpu";
}
