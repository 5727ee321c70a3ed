import { LimitError } from "../errors.ts";

/** A GPU buffer of at least the size asked for, on loan from a {@link BufferPool}. */
export interface PooledBuffer {
  readonly buffer: GPUBuffer;
  /** Bytes in the buffer: a size class, at least as large as the request. */
  readonly capacity: number;
}

/**
 * Buffers kept by size class. A `GPUBuffer` that is merely dropped is freed only by garbage collection, which feels no
 * pressure from GPU memory. So every buffer is borrowed here and given back, and its memory is used again at once.
 * Reuse is safe without waiting, because commands run in the order in which they were recorded.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #onCreate: () => void;
  readonly #free = new Map<number, PooledBuffer[]>();
  readonly #all: GPUBuffer[] = [];
  #liveBytes = 0;
  #totalBytes = 0;
  #liveBuffers = 0;

  constructor(device: GPUDevice, onCreate: () => void) {
    this.#device = device;
    this.#onCreate = onCreate;
  }

  /** Bytes on loan. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Buffers on loan. */
  get liveBuffers(): number {
    return this.#liveBuffers;
  }

  /** Bytes that the device has given, on loan or free: the peak of `liveBytes` by size class. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /**
   * Borrows a buffer of at least `bytes` bytes; its contents are undefined.
   * @throws {LimitError} if the device has no buffers of that size.
   */
  acquire(bytes: number): PooledBuffer {
    const { maxBufferSize } = this.#device.limits;
    if (bytes > maxBufferSize) {
      const message = `a buffer of ${bytes} bytes; maxBufferSize of this device is ${maxBufferSize}`;
      throw new LimitError(message, bytes, maxBufferSize);
    }
    const capacity = Math.min(sizeClass(bytes), Math.floor(maxBufferSize / 4) * 4);
    const pooled = this.#free.get(capacity)?.pop() ?? this.#create(capacity);
    this.#liveBytes += capacity;
    this.#liveBuffers++;
    return pooled;
  }

  /** Gives a buffer back. The caller must not use it in commands recorded afterwards. */
  release(pooled: PooledBuffer): void {
    this.#liveBytes -= pooled.capacity;
    this.#liveBuffers--;
    const free = this.#free.get(pooled.capacity);
    if (free) free.push(pooled);
    else this.#free.set(pooled.capacity, [pooled]);
  }

  /** Destroys every buffer, on loan or free. */
  destroy(): void {
    for (const buffer of this.#all) buffer.destroy();
    this.#all.length = 0;
    this.#free.clear();
    this.#liveBytes = this.#totalBytes = this.#liveBuffers = 0;
  }

  #create(capacity: number): PooledBuffer {
    const buffer = this.#device.createBuffer({
      size: capacity,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    this.#all.push(buffer);
    this.#totalBytes += capacity;
    this.#onCreate();
    return { buffer, capacity };
  }
}

/**
 * The smallest of 256 B × {1, 1.25, 1.5, 1.75} × 2^k that holds `bytes`. At most a quarter is wasted, and tensors of
 * similar sizes share buffers.
 */
export function sizeClass(bytes: number): number {
  const octave = 2 ** Math.max(8, Math.floor(Math.log2(Math.max(bytes, 1))));
  for (let quarter = 4; quarter <= 8; quarter++) {
    const capacity = octave * quarter / 4;
    if (capacity >= bytes) return capacity;
  }
  return octave * 2;
}
