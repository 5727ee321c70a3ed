import { basename } from "node:path";
import type { HostTensor } from "../../formats/pytorch/layout.ts";
import { elements } from "../../tensor/tensor.ts";
import type { Configuration } from "../configuration.ts";
import { type Checkpoint, hasReplayImages } from "./checkpoint.ts";
import { replayBuffer } from "./state_search.ts";

/**
 * A checkpoint that names no folder of this computer, with some entries of its replay buffer.
 * @param entries number of entries that are kept, evenly spaced; all by default
 */
export function published(checkpoint: Checkpoint, entries?: number): Checkpoint {
  const tensors = new Map(checkpoint.tensors);
  if (entries !== undefined && hasReplayImages(checkpoint)) {
    const kept = evenRows(checkpoint.tensors.get(replayBuffer)!, entries);
    if (kept.shape[0] === 0) tensors.delete(replayBuffer);
    else tensors.set(replayBuffer, kept);
  }
  return { ...checkpoint, configuration: withoutFolders(checkpoint.configuration), tensors };
}

/** Without the data's folder, now and in what was changed by hand. Of the model that it began with, the name stays. */
function withoutFolders(configuration: Configuration): Configuration {
  const { origin, history } = configuration;
  return {
    ...configuration,
    dataFolder: null,
    origin: origin && { ...origin, path: basename(origin.path) },
    history: history.map((entry) => {
      const { dataFolder: _, ...changes } = entry.changes;
      return { ...entry, changes };
    }),
  };
}

/** Rows of a tensor, evenly spaced; all if there are no more. */
function evenRows({ shape: [all = 0, ...rest], data }: HostTensor, count: number): HostTensor {
  const size = elements(rest);
  const kept = Math.min(all, count);
  const rows = new Float32Array(kept * size);
  for (let i = 0; i < kept; i++) {
    const row = Math.floor(i * all / kept);
    rows.set(data.subarray(row * size, (row + 1) * size), i * size);
  }
  return { shape: [kept, ...rest], data: rows };
}
