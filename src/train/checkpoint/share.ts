import type { Communicator } from "../../distributed/communicator.ts";
import { shareBytes } from "../../distributed/share.ts";
import { type Checkpoint, decodeCheckpoint, serializeCheckpoint } from "./checkpoint.ts";

/**
 * Rank 0's checkpoint, on all ranks of a job. The others need not see the file.
 * @param checkpoint needed on rank 0
 */
export async function shareCheckpoint(
  communicator: Communicator,
  checkpoint?: Checkpoint,
): Promise<Checkpoint> {
  if (communicator.size === 1) return checkpoint!;
  const bytes = await shareBytes(communicator, checkpoint && await serializeCheckpoint(checkpoint));
  return checkpoint ?? await decodeCheckpoint(bytes);
}
