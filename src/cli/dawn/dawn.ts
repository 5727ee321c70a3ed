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
  "Dawn accepts no adapter of this machine: it needs the driver of a GPU, or Mesa 25 or later for a software " +
  "adapter; --gpu deno may do with what there is";

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
  // Without the second option there are no matrix units.
  const dawn = create([`backend=${backend.option}`, "enable-dawn-features=allow_unsafe_apis"]);
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

/** Turns of `setImmediate` in a row that come at once: a few milliseconds, in which what is short ends. */
const immediateTurns = 200;
/** How long further ones wait: this share of the time since the first, between the least and the most, in milliseconds. */
const pollingShare = 0.01;
const leastPolling = 1;
const mostPolling = 20;

/**
 * While Dawn waits for the GPU it asks in every turn of the event loop, by `setImmediate`, whether it is done. Each time it makes a
 * function, and Deno takes time that grows with the square of their number to give these up: a wait of 16 s took 40 to 55 s, and the
 * program stood still for 12 of them. From now on all but the first turns of a wait are timers, which also leave a software adapter
 * the processor.
 */
function slowDownPolling(): void {
  const immediate = globalThis.setImmediate;
  /** Of the callback that runs: the turns before it in a row, and when these began. */
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
