/** What is left out of the tests on OpenGL, Deno's last resort where there is no Vulkan driver. */

import type { AdapterFamily } from "../src/gpu/adapter_family.ts";
import { backendOf } from "../src/gpu/backend.ts";

const adapter = await navigator.gpu.requestAdapter();

/** Whether the tests run there. */
export const onOpenGL = adapter !== null && backendOf(adapter, navigator.platform) === "OpenGL";

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
  "conv2d_gradient_input",
  "conv2d_gradient_weight",
  "winograd_product",
  "winograd_weight_product",
];
