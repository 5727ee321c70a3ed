/** Tells all ranks of a job what only rank 0 knows. */

import type { Communicator } from "./communicator.ts";

/**
 * Rank 0's bytes, on all ranks.
 * @param bytes needed on rank 0
 */
export async function shareBytes(
  communicator: Communicator,
  bytes?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = Float64Array.of(bytes?.length ?? 0);
  await communicator.broadcast(new Uint8Array(length.buffer));
  const shared = communicator.rank === 0 ? bytes! : new Uint8Array(length[0]!);
  await communicator.broadcast(shared);
  return shared;
}

/**
 * Rank 0's value, on all ranks, as JSON keeps it.
 * @param value needed on rank 0
 */
export async function shareValue<Value>(communicator: Communicator, value?: Value): Promise<Value> {
  if (communicator.size === 1) return value!;
  const text = new TextEncoder().encode(JSON.stringify(value ?? null));
  return JSON.parse(new TextDecoder().decode(await shareBytes(communicator, text)));
}
