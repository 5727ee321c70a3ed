/** Replaces Deno's WebGPU by Dawn, Chromium's. */

import { create, globals } from "webgpu";

/** From now on `navigator.gpu` is Dawn, on Vulkan. */
export function useDawn(): void {
  Object.assign(globalThis, globals);
  Object.defineProperty(navigator, "gpu", { value: create(["backend=vulkan"]), configurable: true });
}
