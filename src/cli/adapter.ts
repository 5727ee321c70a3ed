import { vulkanAdvice } from "../gpu/backend.ts";
import { Gpu } from "../gpu/gpu.ts";
import type { ProductType } from "../gpu/matrix_units.ts";
import { printError } from "./command.ts";

/** What a command says when it computes on OpenGL. */
export const openGLWarning =
  `warning: this runs on OpenGL, which can take twice as long as Vulkan and rounds differently: ${vulkanAdvice}`;

/**
 * The adapter that a command computes on. That it is one of OpenGL, which Deno takes where there is no Vulkan, is said in a
 * line: otherwise only slowness and other numbers would tell.
 * @param products what convolutions multiply
 * @throws {GpuError} if there is none, or none that can multiply that.
 */
export async function openAdapter(products?: ProductType): Promise<Gpu> {
  const gpu = await (products === "float16" ? Gpu.withMatrixUnits() : Gpu.request());
  if (gpu.backend === "OpenGL") printError(openGLWarning);
  return gpu;
}
