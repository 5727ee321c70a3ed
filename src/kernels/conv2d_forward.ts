import compactWgsl from "../../shaders/conv2d_compact.wgsl" with { type: "text" };
import fewWgsl from "../../shaders/conv2d_forward_few.wgsl" with { type: "text" };
import textureWgsl from "../../shaders/conv2d_forward_texture.wgsl" with { type: "text" };
import patchWgsl from "../../shaders/conv2d_patch_texture.wgsl" with { type: "text" };
import stagedWgsl from "../../shaders/conv2d_staged.wgsl" with { type: "text" };
import { patchConstants, patchWorkgroups } from "./conv2d_patch.ts";
import { conv2dConstants, type Conv2dShape, conv2dSizes, outputSize } from "./conv2d_shape.ts";
import { productConstants, stagedTile, stagedWorkgroups } from "./conv2d_staged.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

type Names = "input" | "weight" | "bias" | "output";

/** Convolution with bias. */
export type Conv2dForward = Kernel<Conv2dShape, Names>;

const bindings = (access: "read" | "texture"): readonly Binding<Conv2dShape, Names>[] => [
  { name: "input", access, bytes: (shape) => bytes32(conv2dSizes(shape).input) },
  { name: "weight", access, bytes: (shape) => bytes32(conv2dSizes(shape).weight) },
  { name: "bias", access: "read", bytes: ({ outChannels }) => bytes32(outChannels) },
  { name: "output", access: "read-write", bytes: (shape) => bytes32(conv2dSizes(shape).output) },
];

/** Invocations for tiles of so many pixels and output channels. */
function tiles(
  shape: Conv2dShape,
  pixels: number,
  channels: number,
  workgroup: number,
): [number, number, number] {
  const outPixels = conv2dSizes(shape).output / shape.outChannels;
  return foldWorkgroups(Math.ceil(outPixels / pixels) * Math.ceil(shape.outChannels / channels), workgroup);
}

/** What the shaders that serve both directions take, forwards. */
function constants(shape: Conv2dShape): Record<string, number> {
  conv2dConstants(shape, false);
  const { inChannels, outChannels, kernel, stride, padding } = shape;
  return productConstants(shape, inChannels, outputSize(shape), outChannels, { kernel, stride, padding });
}

/** Convolution with bias of images with a multiple of 4 channels, in tiles staged in workgroup memory: for GPUs. */
export const conv2dForward: Conv2dForward = {
  name: "conv2d_forward",
  wgsl: stagedWgsl,
  entryPoint: "forward",
  bindings: bindings("read"),
  constants: (shape) => ({ ...constants(shape), ...stagedTile(shape.outChannels) }),
  workgroups: (shape) => {
    const { height, width } = outputSize(shape);
    return stagedWorkgroups(shape.batch * height * width, 1, shape.outChannels);
  },
};

/** {@link conv2dForward} in little code, for implementations that compile slowly. */
export const conv2dForwardCompact: Conv2dForward = {
  ...conv2dForward,
  name: "conv2d_forward_compact",
  wgsl: compactWgsl,
  constants,
  workgroups: (shape) => tiles(shape, 4, 4, 64),
};

/** {@link conv2dForward} in large tiles of registers, reading through textures: for lavapipe. */
export const conv2dForwardTexture: Conv2dForward = {
  name: "conv2d_forward_texture",
  wgsl: textureWgsl,
  bindings: bindings("texture"),
  constants: (shape) => conv2dConstants(shape, false),
  workgroups: (shape) => tiles(shape, 16, 16, 8),
};

/** {@link conv2dForwardTexture} for 3×3 kernels of stride 1, faster where `suitsPatches`. */
export const conv2dForwardPatch: Conv2dForward = {
  ...conv2dForwardTexture,
  name: "conv2d_forward_patch",
  wgsl: patchWgsl,
  entryPoint: "forward",
  constants: (shape) => ({
    ...patchConstants(shape, shape, shape.inChannels, outputSize(shape), shape.outChannels),
    padding: shape.padding,
  }),
  workgroups: (shape) => patchWorkgroups(shape.batch, outputSize(shape), shape.outChannels),
};

/** Convolution with bias of images with any number of channels. */
export const conv2dForwardFew: Conv2dForward = {
  name: "conv2d_forward_few",
  wgsl: fewWgsl,
  bindings: bindings("read"),
  constants: (shape) => conv2dConstants(shape, true),
  workgroups: (shape) => tiles(shape, 8, 16, 8),
};
