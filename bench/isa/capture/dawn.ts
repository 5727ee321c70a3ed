/** Puts Dawn, Chromium's WebGPU, in the place of Deno's. */

import { create, globals } from "webgpu";

/** From then on `navigator.gpu` is Dawn, on Vulkan. */
export function useDawn(): void {
  Object.assign(globalThis, globals);
  Object.defineProperty(navigator, "gpu", { value: create(["backend=vulkan"]), configurable: true });
}
