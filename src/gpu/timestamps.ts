import type { Gpu } from "./gpu.ts";

/**
 * Submits what `build` encodes and reads the timestamps that it writes.
 * @param capacity largest number of timestamps
 * @param build returns how many it writes
 * @returns milliseconds since any moment
 */
export async function submitTimed(
  gpu: Gpu,
  capacity: number,
  build: (encoder: GPUCommandEncoder, querySet: GPUQuerySet) => number,
): Promise<number[]> {
  const { device } = gpu;
  const querySet = device.createQuerySet({ type: "timestamp", count: capacity });
  const encoder = device.createCommandEncoder();
  const count = build(encoder, querySet);
  const size = 8 * count;
  const resolved = device.createBuffer({
    size: Math.max(size, 16),
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  device.queue.submit([encoder.finish()]);
  // The encoded commands may have written anywhere, as when a plan runs.
  gpu.forgetCopies();
  const [bytes] = await gpu.read([{ buffer: resolved, offset: 0, size }]);
  resolved.destroy();
  querySet.destroy();
  const nanoseconds = new BigUint64Array(bytes!);
  return Array.from(nanoseconds, (time) => Number(time - nanoseconds[0]!) / 1e6);
}
