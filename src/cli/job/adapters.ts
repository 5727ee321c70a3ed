import type { Communicator } from "../../distributed/communicator.ts";
import { shareValue } from "../../distributed/share.ts";
import { GpuError } from "../../errors.ts";
import { adapterFamily } from "../../gpu/adapter_family.ts";
import { backendOf, describeAdapter } from "../../gpu/backend.ts";
import { printError } from "../command.ts";

/** The adapter of a rank. */
export interface RankAdapter {
  readonly host: string;
  /** Undefined if it has none. */
  readonly adapter?: string | undefined;
  /** Whether the rank's launcher says that it has a GPU of its own. */
  readonly isolated: boolean;
}

/** The variable with which Slurm says that it gives each process GPUs of its own. */
export const isolationVariable = "SLURM_GPUS_PER_TASK";

/**
 * Prints each rank's adapter to standard error, because results may go to standard output.
 * @param share whether ranks may compute on one GPU
 * @throws {GpuError} on all ranks, if two on one machine seem to compute on the same GPU and must not.
 */
export async function announceAdapters(communicator: Communicator, share: boolean): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const own: RankAdapter = {
    host: communicator.host,
    adapter: adapter ? describeAdapter(adapter.info, backendOf(adapter, navigator.platform)) : undefined,
    isolated: Deno.env.get(isolationVariable) !== undefined,
  };
  const gathered = await communicator.gather(new TextEncoder().encode(JSON.stringify(own)));
  const all = gathered?.map((bytes): RankAdapter => JSON.parse(new TextDecoder().decode(bytes)));
  all?.forEach(({ host, adapter }, rank) =>
    printError(`adapter of rank ${rank} on ${host}: ${adapter ?? "no adapter"}`)
  );
  const refusal = await shareValue(communicator, all && !share ? sharedGpu(all) ?? null : null);
  if (refusal !== null) throw new GpuError(refusal);
}

/**
 * Why ranks may not continue. Nothing tells two GPUs of one kind apart, so two ranks with GPUs of the same name on one
 * machine are taken to share one, unless they are said to be isolated. Software adapters may be shared.
 */
export function sharedGpu(all: readonly RankAdapter[]): string | undefined {
  const seen = new Map<string, number>();
  for (const [rank, { host, adapter, isolated }] of all.entries()) {
    if (isolated || adapter === undefined || adapterFamily(adapter) !== "gpu") continue;
    const key = JSON.stringify([host, adapter]);
    const other = seen.get(key);
    if (other !== undefined) {
      return `ranks ${other} and ${rank} on ${host} both compute on ${adapter}, and nothing shows that it is not one GPU; ` +
        "have the launcher give each its own (docs/distributed.md), or add --share-gpu";
    }
    seen.set(key, rank);
  }
  return undefined;
}
