import type { Program } from "./pipeline_cache.ts";

/** A range of a GPU buffer, in bytes, as kernels bind it and copies move it. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** A copy of a buffer's bytes into a texture: arguments of `copyBufferToTexture`. */
export interface TextureUpload {
  readonly kind: "upload";
  readonly source: GPUTexelCopyBufferInfo;
  readonly destination: GPUTexelCopyTextureInfo;
  readonly size: readonly [number, number];
}

/** A run of a program. */
export interface DispatchCommand {
  readonly kind: "dispatch";
  readonly program: Program;
  /** Contents of its uniform buffer, if it has one. */
  readonly uniforms: Uint32Array<ArrayBuffer> | undefined;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** One step of recorded GPU work. Its objects are created when it is recorded, so running it again creates nothing. */
export type Command =
  | DispatchCommand
  | { readonly kind: "copy"; readonly source: BufferRange; readonly destination: BufferRange }
  | { readonly kind: "clear"; readonly target: BufferRange }
  | TextureUpload;

/** Encodes commands in order into one command buffer. */
export function encode(device: GPUDevice, commands: readonly Command[]): GPUCommandBuffer {
  const encoder = device.createCommandEncoder();
  encodeCommands(encoder, commands);
  return encoder.finish();
}

/**
 * Encodes commands in order. Neighbouring dispatches share a compute pass, which takes the host about a quarter of the
 * time of a pass for each. WebGPU orders the memory accesses of dispatches within a pass.
 */
export function encodeCommands(encoder: GPUCommandEncoder, commands: readonly Command[]): void {
  let pass: GPUComputePassEncoder | undefined;
  for (const command of commands) {
    if (command.kind === "dispatch") {
      pass ??= encoder.beginComputePass();
      encodeDispatch(pass, command);
      continue;
    }
    pass?.end();
    pass = undefined;
    encodeTransfer(encoder, command);
  }
  pass?.end();
}

/** Encodes a dispatch into a pass. */
export function encodeDispatch(
  pass: GPUComputePassEncoder,
  { pipeline, bindGroup, workgroups }: DispatchCommand,
): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...workgroups);
}

/** Encodes a copy, clear or upload outside any pass. */
export function encodeTransfer(
  encoder: GPUCommandEncoder,
  command: Exclude<Command, { kind: "dispatch" }>,
): void {
  if (command.kind === "clear") {
    const { buffer, offset, size } = command.target;
    encoder.clearBuffer(buffer, offset, size);
  } else if (command.kind === "upload") {
    encoder.copyBufferToTexture(command.source, command.destination, [...command.size]);
  } else {
    const { source, destination } = command;
    encoder.copyBufferToBuffer(
      source.buffer,
      source.offset,
      destination.buffer,
      destination.offset,
      source.size,
    );
  }
}
