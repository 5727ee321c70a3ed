/** A state dict with its counters, and the tensors of a file that hold it. */

import { bytesOf } from "../../formats/bytes.ts";
import { float32Of, type NamedTensor, numbersOf } from "../../formats/safetensors.ts";
import type { StateDict } from "../../nn/state_dict.ts";

/** Names of the Gaussians that a model may carry; see `carried_starts.ts`. Files keep them as float16. */
export const [startMeans, startFactors, startDeviations] = [
  "start_means",
  "start_factors",
  "start_deviations",
] as const;
/** All that a model may carry of them. */
export const startTensors: readonly string[] = [startMeans, startFactors, startDeviations];

const trackedSuffix = "num_batches_tracked";
const initialisedSuffix = "initialized";

/** The state of a model, and perhaps further tensors. */
export interface ModelState {
  /** Official names, PyTorch's layout. */
  readonly tensors: StateDict;
  /** Number of batches that each batch norm layer has normalised in training. */
  readonly batchesTracked: number;
  /** Whether act norm has been set from data; true for the other norms. */
  readonly normsInitialised: boolean;
}

/**
 * The parts of a checkpoint that are in tensors, whatever file they come from. float16 and float64 become float32.
 * Counters that are not integers (those of a model cast to float16 overflow) count as unknown, because nothing needs
 * them.
 */
export function modelState(
  tensors: ReadonlyMap<string, NamedTensor>,
): ModelState {
  const counter = (suffix: string) => {
    const found = [...tensors].find(([name]) => name.endsWith(`.${suffix}`))?.[1];
    return found && countOf(found);
  };
  const state: StateDict = new Map();
  for (const [name, tensor] of tensors) {
    const isCounter = [trackedSuffix, initialisedSuffix].some((suffix) => name.endsWith(`.${suffix}`));
    if (isReal(tensor.dtype) && !isCounter) state.set(name, { shape: tensor.shape, data: float32Of(tensor) });
  }
  return {
    tensors: state,
    batchesTracked: counter(trackedSuffix) ?? 0,
    normsInitialised: counter(initialisedSuffix) !== 0,
  };
}

/** Whether elements of this type are weights, that is, floating-point numbers that can be read. */
export function isReal(dtype: string): boolean {
  return /^(F16|BF16|F32|F64)$/.test(dtype);
}

function countOf(tensor: NamedTensor): number | undefined {
  if (/^F8/.test(tensor.dtype)) return undefined;
  const [count] = numbersOf(tensor);
  return Number.isSafeInteger(count) && count! >= 0 ? count : undefined;
}

/** All tensors of an official state dict, including the counters, which are not floating-point numbers. */
export function officialTensors(state: ModelState): Map<string, NamedTensor> {
  const { batchesTracked, normsInitialised } = state;
  const tracked = bytesOf(BigInt64Array.of(BigInt(batchesTracked)));
  const initialised = Uint8Array.of(Number(normsInitialised));
  const tensors = new Map<string, NamedTensor>();
  for (const [name, { shape, data }] of state.tensors) {
    tensors.set(
      name,
      startTensors.includes(name)
        ? { dtype: "F16", shape, data: bytesOf(Float16Array.from(data)) }
        : { dtype: "F32", shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
    );
    const [, norm, kind] = /^(f\..*)\.(running_var|loc)$/.exec(name) ?? [];
    if (kind === "running_var") {
      tensors.set(`${norm}.${trackedSuffix}`, { dtype: "I64", shape: [], data: tracked });
    }
    if (kind === "loc") {
      tensors.set(`${norm}.${initialisedSuffix}`, { dtype: "U8", shape: [], data: initialised });
    }
  }
  return tensors;
}
