/**
 * Uniform buffers, one for each contents. They never change, so recorded work can share them for as long as the device
 * lives.
 */
export class UniformBuffers {
  readonly #device: GPUDevice;
  readonly #onCreate: () => void;
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(device: GPUDevice, onCreate: () => void) {
    this.#device = device;
    this.#onCreate = onCreate;
  }

  /** The buffer with these contents, created on first use. */
  get(values: Uint32Array<ArrayBuffer>): { buffer: GPUBuffer } {
    const key = values.join();
    let buffer = this.#buffers.get(key);
    if (!buffer) {
      buffer = uniformBuffer(this.#device, values);
      this.#buffers.set(key, buffer);
      this.#onCreate();
    }
    return { buffer };
  }

  /** Destroys every buffer. */
  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}

/** A uniform buffer with these contents. */
export function uniformBuffer(device: GPUDevice, values: Uint32Array<ArrayBuffer>): GPUBuffer {
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: values.byteLength, usage });
  // Not mapped at creation: if the device was lost meanwhile, mapping throws another error than the loss.
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}
