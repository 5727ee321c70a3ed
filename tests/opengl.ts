/** What is left out of the tests where kernels for GPUs are compiled for long: on OpenGL, and on Dawn without a GPU. */

import { type AdapterFamily, adapterFamily } from "../src/gpu/adapter_family.ts";
import { backendOf, describeAdapter, isDawn } from "../src/gpu/backend.ts";

const adapter = await navigator.gpu.requestAdapter();
const backend = adapter ? backendOf(adapter, navigator.platform) : undefined;

/** Whether the tests run on OpenGL, Deno's last resort where there is no Vulkan driver. */
export const onOpenGL = backend === "OpenGL";

/**
 * Whether they run on Dawn, and its adapter is Mesa's software driver. Kernels for GPUs took the LLVM of Mesa 26.2 there 2.5 times
 * as long as that of 22.3, which Dawn refuses.
 */
export const onDawnInSoftware = adapter !== null && isDawn(backend) &&
  adapterFamily(describeAdapter(adapter.info, backend)) === "lavapipe";

/**
 * Name and `ignore` of a test of convolution kernels that are meant for a family of adapters. Those for GPUs are unrolled
 * so far that Mesa's OpenGL compiles each for ten seconds to minutes: there the test is left out, and its name says so.
 */
export function forFamily(family: AdapterFamily, name: string): { name: string; ignore: boolean } {
  const ignore = onOpenGL && family === "gpu";
  return { name: ignore ? `${name} (left out: OpenGL compiles kernels for GPUs for minutes)` : name, ignore };
}

/** Those kernels for GPUs, by the names of the kernels and of their files. */
export const kernelsForGpus: readonly string[] = [
  "conv2d_forward",
  "conv2d_forward_patch",
  "conv2d_gradient_input",
  "conv2d_gradient_input_patch",
  "conv2d_gradient_weight",
  "winograd_product",
  "winograd_weight_product",
];
