import { createRows } from "../kernels/texture_rows.ts";
import type { Command, DispatchCommand } from "./command.ts";
import type { Gpu } from "./gpu.ts";
import type { Plan } from "./plan.ts";
import { PipelineCache } from "./pipeline_cache.ts";
import { uniformBuffer } from "./uniform_buffers.ts";

/** The parts of a dispatch that decide how it is compiled, and the pipeline. */
type Use = Pick<DispatchCommand, "program" | "uniforms" | "pipeline">;

/** Most devices that compile at the same time. A few programs take most of the time. */
const mostDevices = 4;
/** Bytes of the buffers that stand in for operands. WebGPU keeps accesses beyond them away from other memory. */
const standInBytes = 256;
/** A program that is ready within this many milliseconds was in the driver's cache. The wait alone takes about 11. */
const cachedWithin = 30;

/**
 * Has lavapipe compile the programs of a plan at the same time: some on the device that runs the plan, the others on
 * devices of their own, into the driver's cache on disk. Otherwise it would compile one after another, each at its
 * first run. On other adapters, and where the cache already has the programs, this does nothing.
 * @param starting called with the number of programs before they are compiled
 */
export async function compileAhead(
  gpu: Gpu,
  plan: Plan,
  starting: (programs: number) => void = () => {},
): Promise<void> {
  if (gpu.adapterFamily !== "lavapipe") return;
  const uses = usesOf(plan.commands);
  // A long shader, since short ones compile almost as fast as they are read, but not the longest, which takes a second.
  if (uses.length === 0 || await isCached(gpu.device, uses[Math.floor(uses.length / 3)]!)) return;
  starting(uses.length);
  const count = Math.min(mostDevices, navigator.hardwareConcurrency, uses.length) - 1;
  const others = await openDevices(count, gpu.device.features);
  const [own, ...parts] = share(uses, 1 + others.length);
  submit(gpu.device, own!);
  parts.forEach((part, i) => submit(others[i]!, onDevice(others[i]!, part)));
  // Only now, because the wait for one device keeps this thread from submitting to the next.
  for (const device of [gpu.device, ...others]) await device.queue.onSubmittedWorkDone();
  for (const device of others) device.destroy();
}

/** The same on another device. */
function onDevice(device: GPUDevice, uses: readonly Use[]): Use[] {
  const pipelines = new PipelineCache(device, () => {});
  return uses.map((use) => ({ ...use, pipeline: pipelines.get(use.program).pipeline }));
}

/** The first use of every pipeline, with the longest shaders first. */
function usesOf(commands: readonly Command[]): Use[] {
  const uses = new Map<GPUComputePipeline, Use>();
  for (const command of commands) {
    if (command.kind === "dispatch" && !uses.has(command.pipeline)) uses.set(command.pipeline, command);
  }
  return [...uses.values()].sort((a, b) => b.program.wgsl.length - a.program.wgsl.length);
}

async function isCached(device: GPUDevice, use: Use): Promise<boolean> {
  const began = performance.now();
  submit(device, [use]);
  await device.queue.onSubmittedWorkDone();
  return performance.now() - began < cachedWithin;
}

async function openDevices(count: number, features: Iterable<string>): Promise<GPUDevice[]> {
  const requiredFeatures = [...features] as GPUFeatureName[];
  const devices: GPUDevice[] = [];
  while (devices.length < count) {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) break;
    devices.push(await adapter.requestDevice({ requiredFeatures }));
  }
  return devices;
}

/**
 * Parts that take about the same time. The longest come first, and each goes to the part with the least work so far.
 */
function share(uses: readonly Use[], count: number): Use[][] {
  const parts = Array.from({ length: count }, () => ({ uses: [] as Use[], cost: 0 }));
  for (const use of uses) {
    const part = parts.reduce((least, other) => other.cost < least.cost ? other : least);
    part.uses.push(use);
    // Long shaders are unrolled, so their time grows faster than their length.
    part.cost += use.program.wgsl.length ** 2;
  }
  return parts.map((part) => part.uses);
}

/**
 * Runs a workgroup of each program over small operands of zeros. Uniforms have their true values: lavapipe tries what a
 * shader becomes with these as constants, and caches the better version.
 */
function submit(device: GPUDevice, uses: readonly Use[]): void {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { program, uniforms, pipeline } of uses) {
    const entries: GPUBindGroupEntry[] = program.access.map((access, binding) => ({
      binding,
      resource: access === "texture" ? standInTexture(device) : { buffer: standInBuffer(device) },
    }));
    if (uniforms) {
      entries.push({
        binding: program.uniformBinding!,
        resource: { buffer: uniformBuffer(device, uniforms) },
      });
    }
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
}

function standInBuffer(device: GPUDevice): GPUBuffer {
  return device.createBuffer({ size: standInBytes, usage: GPUBufferUsage.STORAGE });
}

/** In the shape of small operands: lavapipe of Mesa 26 compiles a function for each kind of texture. */
function standInTexture(device: GPUDevice): GPUTextureView {
  return createRows(device, 1, "rgba32float").createView();
}
