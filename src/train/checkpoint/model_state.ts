/** A state dict with its counters, and the tensors of a file that it is. */

import { bytesOf } from "../../formats/bytes.ts";
import { float32Of, type NamedTensor, numbersOf } from "../../formats/safetensors.ts";
import type { StateDict } from "../../nn/state_dict.ts";

const trackedSuffix = "num_batches_tracked";
const initialisedSuffix = "initialized";

/** What a model is put into, and perhaps more tensors. */
export interface ModelState {
  /** Official names, PyTorch's layout. */
  readonly tensors: StateDict;
  /** Batches that each batch norm layer has normalised in training. */
  readonly batchesTracked: number;
  /** Whether act norm has been set from data; true of the other norms. */
  readonly normsInitialised: boolean;
}

/**
 * The parts of a checkpoint that tensors hold, whatever file they come from; float16 and float64 become float32. Counters
 * that are no whole numbers (those of a model that was cast to float16 overflow) are taken as unknown: nothing needs them.
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

/** Whether elements of this type are weights: floating-point numbers that are read. */
export function isReal(dtype: string): boolean {
  return /^(F16|BF16|F32|F64)$/.test(dtype);
}

function countOf(tensor: NamedTensor): number | undefined {
  if (/^F8/.test(tensor.dtype)) return undefined;
  const [count] = numbersOf(tensor);
  return Number.isSafeInteger(count) && count! >= 0 ? count : undefined;
}

/** All tensors that an official state dict holds, with the counters that are no floating-point numbers. */
export function officialTensors(state: ModelState): Map<string, NamedTensor> {
  const { batchesTracked, normsInitialised } = state;
  const tracked = bytesOf(BigInt64Array.of(BigInt(batchesTracked)));
  const initialised = Uint8Array.of(Number(normsInitialised));
  const tensors = new Map<string, NamedTensor>();
  for (const [name, { shape, data }] of state.tensors) {
    tensors.set(name, {
      dtype: "F32",
      shape,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
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
