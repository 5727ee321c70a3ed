import { type MatrixUnits, suitsMatrices } from "../kernels/conv2d/matrix.ts";

/** What convolutions multiply on request: float16 values by an adapter's matrix units, with float32 sums. */
export const productTypes = ["float32", "float16"] as const;

/** What convolutions multiply. */
export type ProductType = typeof productTypes[number];

/** The features that matrix units need. Dawn has the second one where unsafe interfaces are allowed. */
export const matrixFeatures = ["subgroups", "chromium-experimental-subgroup-matrix"] as GPUFeatureName[];

/** Dawn's description of matrix units, for which there is no standard type. */
export interface MatrixInfo {
  readonly subgroupMinSize?: number;
  readonly subgroupMaxSize?: number;
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

/**
 * An adapter's matrix units for float16 with sums of float32, the largest that the kernels can use. Undefined if it has
 * none, or has subgroups of different sizes.
 */
export function matrixUnitsOf(
  { info, features }: { readonly info: MatrixInfo; readonly features: Pick<ReadonlySet<string>, "has"> },
): MatrixUnits | undefined {
  const needed: readonly string[] = ["shader-f16", ...matrixFeatures];
  if (!needed.every((feature) => features.has(feature))) return undefined;
  const { subgroupMinSize, subgroupMaxSize, subgroupMatrixConfigs } = info;
  if (subgroupMaxSize === undefined || subgroupMinSize !== subgroupMaxSize) return undefined;
  const size = ({ rows, columns, inner }: MatrixUnits) => rows * columns * inner;
  return [...subgroupMatrixConfigs ?? []]
    .filter(({ componentType, resultComponentType }) =>
      componentType === "f16" && resultComponentType === "f32"
    )
    .map(({ M, N, K }) => ({ rows: M, columns: N, inner: K, subgroupSize: subgroupMaxSize }))
    .filter(suitsMatrices)
    .sort((a, b) => size(b) - size(a))[0];
}
