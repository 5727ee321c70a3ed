import { vulkanAdvice } from "../gpu/backend.ts";
import { Gpu } from "../gpu/gpu.ts";
import type { ProductType } from "../gpu/matrix_units.ts";
import { printError } from "./command.ts";

/** The warning of a command that computes on OpenGL. */
export const openGLWarning =
  `warning: this runs on OpenGL, which can take twice as long as Vulkan and rounds differently: ${vulkanAdvice}`;

/**
 * The adapter that a command computes on. A line says if it is one of OpenGL, which Deno takes where there is no
 * Vulkan: otherwise only slowness and other numbers would show it.
 * @param products what convolutions multiply
 * @throws {GpuError} if there is none, or none that can multiply in that way.
 */
export async function openAdapter(products?: ProductType): Promise<Gpu> {
  const gpu = await (products === "float16" ? Gpu.withMatrixUnits() : Gpu.request());
  if (gpu.backend === "OpenGL") printError(openGLWarning);
  return gpu;
}
