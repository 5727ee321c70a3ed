/** What a training run keeps in its checkpoints besides the trainer's state, to restore its folder. */

import type { DataDescription } from "../../data/description.ts";
import { CheckpointError } from "../../errors.ts";
import type { NamedTensor } from "../../formats/safetensors.ts";

/** The best model so far on the held-out images. */
export interface Best {
  readonly iteration: number;
  /** From 0 to 1. */
  readonly accuracy: number;
}

/** Files of earlier versions, and models, have none of this. */
export interface RunRecord {
  /** The data that the run started with. */
  readonly data?: DataDescription | undefined;
  readonly best?: Best | undefined;
  /** The adapter that computed the checkpoint, with its backend. */
  readonly adapter?: string | undefined;
  /** The newest lines of `metrics.jsonl` up to the checkpoint's iteration. */
  readonly metrics?: string | undefined;
}

const recordKey = "run";
/** A tensor of bytes: as text in the header, megabytes of metrics would burden everyone who reads that. */
const metricsName = "metrics";

/** The part of a record that is metadata. */
export function recordMetadata({ data, best, adapter }: RunRecord): Record<string, string> {
  return data || best || adapter ? { [recordKey]: JSON.stringify({ data, best, adapter }) } : {};
}

/** The part of a record that is tensors. */
export function recordTensors({ metrics }: RunRecord): Map<string, NamedTensor> {
  if (!metrics) return new Map();
  const data = new TextEncoder().encode(metrics);
  return new Map([[metricsName, { dtype: "U8", shape: [data.length], data }]]);
}

/**
 * The record in a file.
 * @throws {CheckpointError} if it is invalid.
 */
export function readRecord(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, NamedTensor>,
): RunRecord {
  const metrics = tensors.get(metricsName);
  const { data, best, adapter } = JSON.parse(metadata[recordKey] ?? "{}");
  return {
    ...(isDescription(data) && { data }),
    ...(best !== undefined && { best: bestOf(best) }),
    ...(typeof adapter === "string" && { adapter }),
    ...(metrics?.dtype === "U8" && { metrics: new TextDecoder().decode(metrics.data) }),
  };
}

function isDescription(value: unknown): value is DataDescription {
  return typeof value === "object" && value !== null && "trainingChecksum" in value;
}

/**
 * The best model of a parsed file.
 * @throws {CheckpointError} if it is invalid.
 */
export function bestOf(value: unknown): Best {
  const { iteration, accuracy } = (value ?? {}) as Partial<Best>;
  if (!Number.isSafeInteger(iteration) || iteration! < 0 || !(accuracy! >= 0 && accuracy! <= 1)) {
    throw new CheckpointError("damaged checkpoint: its best model has no iteration and accuracy");
  }
  return { iteration: iteration!, accuracy: accuracy! };
}
