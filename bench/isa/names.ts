import type { RecordedPipeline } from "./capture/record.ts";

/**
 * A kernel with the part of its shape that distinguishes it: `conv2d_forward 160 → 320, 3×3, stride 2`. Sizes of maps
 * are left out, because they are constants in the code and hardly change it.
 */
export function kernelName({ label, constants }: Pick<RecordedPipeline, "label" | "constants">): string {
  const { kernel, stride, channels } = constants;
  const from = constants["inChannels"] ?? constants["sourceChannels"] ?? channels;
  const to = constants["outChannels"] ?? constants["resultChannels"];
  const ends = [from, to].filter((count) => count !== undefined).join(" → ");
  const isConvolution = label.startsWith("conv2d_");
  return [
    ends ? `${label} ${ends}` : label,
    ...isConvolution && kernel !== undefined ? [`${kernel}×${kernel}`] : [],
    ...isConvolution && stride !== undefined && stride > 1 ? [`stride ${stride}`] : [],
  ].join(", ");
}
