/** Tests that are left out where kernels for GPUs take long to compile: on OpenGL, and on Dawn without a GPU. */

import { type AdapterFamily, adapterFamily } from "../src/gpu/adapter_family.ts";
import { backendOf, describeAdapter, isDawn } from "../src/gpu/backend.ts";

const adapter = await navigator.gpu.requestAdapter();
const backend = adapter ? backendOf(adapter, navigator.platform) : undefined;

/** Whether the tests run on OpenGL, Deno's last resort where there is no Vulkan driver. */
export const onOpenGL = backend === "OpenGL";

/**
 * Whether the tests run on Dawn with Mesa's software driver. There, the LLVM of Mesa 26.2 took 2.5 times as long to
 * compile kernels for GPUs as the LLVM of Mesa 22.3. Dawn refuses Mesa 22.3.
 */
export const onDawnInSoftware = adapter !== null && isDawn(backend) &&
  adapterFamily(describeAdapter(adapter.info, backend)) === "lavapipe";

/**
 * Name and `ignore` of a test of convolution kernels for a family of adapters. Kernels for GPUs are unrolled so far
 * that Mesa's OpenGL takes ten seconds to minutes to compile each one. On OpenGL their tests are left out, and the
 * names say so.
 */
export function forFamily(family: AdapterFamily, name: string): { name: string; ignore: boolean } {
  const ignore = onOpenGL && family === "gpu";
  return { name: ignore ? `${name} (left out: OpenGL compiles kernels for GPUs for minutes)` : name, ignore };
}

/** The kernels for GPUs that take this long, by the names of the kernels and of their files. */
export const kernelsForGpus: readonly string[] = [
  "conv2d_forward",
  "conv2d_forward_patch",
  "conv2d_gradient_input",
  "conv2d_gradient_input_patch",
  "conv2d_gradient_weight",
  "winograd_product",
  "winograd_weight_product",
];
