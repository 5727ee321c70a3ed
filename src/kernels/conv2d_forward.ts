import wgsl from "../../shaders/conv2d_forward.wgsl" with { type: "text" };
import fewWgsl from "../../shaders/conv2d_forward_few.wgsl" with { type: "text" };
import { conv2dConstants, type Conv2dShape, conv2dSizes } from "./conv2d_shape.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

type Names = "input" | "weight" | "bias" | "output";

const bindings: readonly Binding<Conv2dShape, Names>[] = [
  { name: "input", access: "read", bytes: (shape) => bytes32(conv2dSizes(shape).input) },
  { name: "weight", access: "read", bytes: (shape) => bytes32(conv2dSizes(shape).weight) },
  { name: "bias", access: "read", bytes: ({ outChannels }) => bytes32(outChannels) },
  { name: "output", access: "read-write", bytes: (shape) => bytes32(conv2dSizes(shape).output) },
];

/** Invocations for tiles of so many pixels and output channels, in workgroups of 8. */
function tiles(shape: Conv2dShape, pixels: number, channels: number): [number, number, number] {
  const outPixels = conv2dSizes(shape).output / shape.outChannels;
  return foldWorkgroups(Math.ceil(outPixels / pixels) * Math.ceil(shape.outChannels / channels), 8);
}

/** Convolution with bias of images with a multiple of 4 channels. */
export const conv2dForward: Kernel<Conv2dShape, Names> = {
  name: "conv2d_forward",
  wgsl,
  bindings,
  constants: (shape) => conv2dConstants(shape, false),
  workgroups: (shape) => tiles(shape, 16, 16),
};

/** Convolution with bias of images with any number of channels. */
export const conv2dForwardFew: Kernel<Conv2dShape, Names> = {
  name: "conv2d_forward_few",
  wgsl: fewWgsl,
  bindings,
  constants: (shape) => conv2dConstants(shape, true),
  workgroups: (shape) => tiles(shape, 8, 16),
};
