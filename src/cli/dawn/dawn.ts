/** Dawn, the WebGPU of Chromium, in place of Deno's own. */

import { GpuError } from "../../errors.ts";
import { type Backend, tellBackend } from "../../gpu/backend.ts";

/** What the npm package `webgpu` exports. */
interface DawnPackage {
  /** @param options such as `backend=vulkan` */
  create(options: readonly string[]): GPU;
  /** Classes and constants that a browser has as globals, such as `GPUBufferUsage`. */
  readonly globals: Readonly<Record<string, unknown>>;
}

/** Not a literal in the import: Deno would fetch the package, 130 MB on the disk, for every command that may load it. */
const packageName: string = "webgpu";

/** What Dawn computes on by operating system, as `Deno.build.os` names them. Left to itself it may take OpenGL. */
const backends: Readonly<Record<string, { readonly option: string; readonly name: Backend }>> = {
  linux: { option: "vulkan", name: "Dawn on Vulkan" },
  darwin: { option: "metal", name: "Dawn on Metal" },
  windows: { option: "d3d12", name: "Dawn on D3D12" },
};

const noAdapter =
  "Dawn accepts no adapter of this machine: it needs a GPU, or Mesa 25 or later, and a driver for it; " +
  "--gpu deno may do with what there is";

/**
 * Puts Dawn in the place of Deno's WebGPU, with all its globals, until the process ends. Its `requestAdapter` throws a
 * {@link GpuError} where there is no adapter.
 * @throws {GpuError} if Dawn does not load.
 */
export async function useDawn(): Promise<void> {
  const backend = backends[Deno.build.os];
  if (!backend) throw new GpuError(`there is no Dawn for ${Deno.build.os}`);
  const { create, globals } = await load();
  slowDownPolling();
  const dawn = create([`backend=${backend.option}`]);
  const requestAdapter: GPU["requestAdapter"] = async (options) => {
    const adapter = await dawn.requestAdapter(options);
    if (!adapter) throw new GpuError(noAdapter);
    tellBackend(adapter, backend.name);
    return adapter;
  };
  Object.assign(globalThis, globals);
  // Where Deno's own lies, so that tests can cover either.
  const prototype = Object.getPrototypeOf(navigator);
  Object.defineProperty(prototype, "gpu", { value: { requestAdapter }, configurable: true });
}

/** Turns of {@link setImmediate} in a row that come at once: a few milliseconds, in which what is short ends. */
const immediateTurns = 200;
/** Milliseconds between further ones. */
const pollingInterval = 1;
/** Milliseconds without any after which they count from the start. */
const pause = 10;

/**
 * While Dawn waits for the GPU it asks in every turn of the event loop, by `setImmediate`, whether it is done. Each time it makes a
 * function, and Deno takes time that grows with their square to give these up: after a wait of a minute it stood still for 12 s.
 * From now on turns in a row become timers, which also leaves a software adapter the processor.
 */
function slowDownPolling(): void {
  const immediate = globalThis.setImmediate;
  let turns = 0;
  let last = 0;
  const slow = (callback: (...values: unknown[]) => void, ...values: unknown[]) => {
    const now = performance.now();
    turns = now - last > pause ? 0 : turns + 1;
    last = now;
    if (turns < immediateTurns) return immediate(callback, ...values);
    return setTimeout(callback, pollingInterval, ...values);
  };
  Object.assign(globalThis, { setImmediate: slow });
}

async function load(): Promise<DawnPackage> {
  try {
    return await import(packageName) as DawnPackage;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new GpuError(`Dawn, the npm package webgpu, does not load: ${reason}`);
  }
}
