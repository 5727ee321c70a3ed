/** Replaces Deno's WebGPU with Dawn, the WebGPU of Chromium. */

import { GpuError } from "../../errors.ts";
import { type Backend, tellBackend } from "../../gpu/backend.ts";

/** The exports of the npm package `webgpu`. */
interface DawnPackage {
  /** @param options such as `backend=vulkan` */
  create(options: readonly string[]): GPU;
  /** Classes and constants that a browser has as globals, such as `GPUBufferUsage`. */
  readonly globals: Readonly<Record<string, unknown>>;
}

/**
 * Not a literal in the import, or Deno would fetch the package, 130 MB on the disk, for every command that might load
 * it.
 */
const packageName: string = "webgpu";

/** Dawn's backends by operating system, as `Deno.build.os` names them. By itself it may take OpenGL. */
const backends: Readonly<Record<string, { readonly option: string; readonly name: Backend }>> = {
  linux: { option: "vulkan", name: "Dawn on Vulkan" },
  darwin: { option: "metal", name: "Dawn on Metal" },
  windows: { option: "d3d12", name: "Dawn on D3D12" },
};

const noAdapter =
  "Dawn accepts no adapter of this machine: it needs the driver of a GPU, or Mesa 25 or later for a software " +
  "adapter; --gpu deno may do with what there is";

/**
 * Replaces Deno's WebGPU with Dawn, with all its globals, until the process ends. Its `requestAdapter` throws a {@link
 * GpuError} if there is no adapter.
 * @throws {GpuError} if Dawn does not load.
 */
export async function useDawn(): Promise<void> {
  const backend = backends[Deno.build.os];
  if (!backend) throw new GpuError(`there is no Dawn for ${Deno.build.os}`);
  const { create, globals } = await load();
  slowDownPolling();
  // Without the second option there are no matrix units.
  const dawn = create([`backend=${backend.option}`, "enable-dawn-features=allow_unsafe_apis"]);
  const requestAdapter: GPU["requestAdapter"] = async (options) => {
    const adapter = await dawn.requestAdapter(options);
    if (!adapter) throw new GpuError(noAdapter);
    tellBackend(adapter, backend.name);
    return adapter;
  };
  Object.assign(globalThis, globals);
  // In the place of Deno's own, so that tests can cover either.
  const prototype = Object.getPrototypeOf(navigator);
  Object.defineProperty(prototype, "gpu", { value: { requestAdapter }, configurable: true });
}

/** Consecutive turns of `setImmediate` that run at once: a few milliseconds, enough for short waits. */
const immediateTurns = 200;
/**
 * How long further turns wait: this share of the time since the first, between the least and the most, in milliseconds.
 */
const pollingShare = 0.01;
const leastPolling = 1;
const mostPolling = 20;

/**
 * While Dawn waits for the GPU, it checks in every turn of the event loop, by `setImmediate`, whether it is done. Each
 * check creates a function, and the time Deno takes to free these grows with the square of their number: a wait of 16 s
 * took 40 to 55 s, and the program stood still for 12 of them. From now on all but the first turns of a wait are
 * timers, which also leave the processor to a software adapter.
 */
function slowDownPolling(): void {
  const immediate = globalThis.setImmediate;
  /** For the running callback: the consecutive turns before it, and when these started. */
  let running: { readonly turns: number; readonly began: number } | undefined;
  const slow = (callback: (...values: unknown[]) => void, ...values: unknown[]) => {
    const now = performance.now();
    const { turns, began } = running ?? { turns: 0, began: now };
    const turn = () => {
      running = { turns: turns + 1, began };
      try {
        callback(...values);
      } finally {
        running = undefined;
      }
    };
    if (turns < immediateTurns) return immediate(turn);
    return setTimeout(turn, Math.min(mostPolling, Math.max(leastPolling, pollingShare * (now - began))));
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
