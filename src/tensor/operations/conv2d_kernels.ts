import type { AdapterFamily } from "../../gpu/adapter_family.ts";
import {
  type Conv2dForward,
  conv2dForward,
  conv2dForwardCompact,
  conv2dForwardFew,
  conv2dForwardPatch,
  conv2dForwardTexture,
} from "../../kernels/conv2d_forward.ts";
import {
  type Conv2dGradientInput,
  conv2dGradientInput,
  conv2dGradientInputCompact,
  conv2dGradientInputFew,
  conv2dGradientInputPatch,
  conv2dGradientInputTexture,
} from "../../kernels/conv2d_gradient_input.ts";
import {
  type Conv2dGradientWeight,
  conv2dGradientWeight,
  conv2dGradientWeightFew,
  conv2dGradientWeightTexture,
} from "../../kernels/conv2d_gradient_weight.ts";
import { suitsPatches } from "../../kernels/conv2d_patch.ts";
import type { Conv2dShape } from "../../kernels/conv2d_shape.ts";

/** The kernels that compute a convolution and its gradients. */
export interface Conv2dKernels {
  readonly forward: Conv2dForward;
  readonly gradientInput: Conv2dGradientInput;
  readonly gradientWeight: Conv2dGradientWeight;
}

const few: Conv2dKernels = {
  forward: conv2dForwardFew,
  gradientInput: conv2dGradientInputFew,
  gradientWeight: conv2dGradientWeightFew,
};
const textures: Conv2dKernels = {
  forward: conv2dForwardTexture,
  gradientInput: conv2dGradientInputTexture,
  gradientWeight: conv2dGradientWeightTexture,
};
const patches: Conv2dKernels = {
  ...textures,
  forward: conv2dForwardPatch,
  gradientInput: conv2dGradientInputPatch,
};
const staged: Conv2dKernels = {
  forward: conv2dForward,
  gradientInput: conv2dGradientInput,
  gradientWeight: conv2dGradientWeight,
};
const compact: Conv2dKernels = {
  forward: conv2dForwardCompact,
  gradientInput: conv2dGradientInputCompact,
  gradientWeight: conv2dGradientWeightFew,
};

/**
 * The kernels for a shape on a kind of adapter: a fixed choice, so that the same adapter gives the same bits. Channels that
 * cannot be read four at a time, as those of most images, have kernels of their own.
 */
export function chooseConv2d(family: AdapterFamily, shape: Conv2dShape): Conv2dKernels {
  if (shape.inChannels % 4 !== 0) return few;
  if (family === "lavapipe") return suitsPatches(shape) ? patches : textures;
  return family === "slow-compiler" ? compact : staged;
}
