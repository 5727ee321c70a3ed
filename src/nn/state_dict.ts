import { CheckpointError } from "../errors.ts";
import { type HostTensor, parameterFromPyTorch, parameterToPyTorch } from "../formats/pytorch_layout.ts";
import type { ParameterSet } from "../tensor/parameters.ts";
import { elements } from "../tensor/tensor.ts";
import type { Architecture, WideResNet } from "./wide_resnet.ts";

/** Named tensors under the official names and in PyTorch's layout. */
export type StateDict = Map<string, HostTensor>;

/**
 * The architecture of an official state dict, from its names and shapes.
 * @param imageSize side of the images, which a state dict does not tell
 * @throws {CheckpointError} if it is not that of a Wide ResNet of the official code.
 */
export function inferArchitecture(
  state: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  imageSize: number,
): Architecture {
  const extent = (name: string, axis: number): number => {
    const value = state.get(name)?.shape[axis];
    if (value === undefined) throw new CheckpointError(`tensor ${name} is missing`);
    return value;
  };
  const blocks = [...state.keys()].filter((name) => /^f\.layer1\.\d+\.conv1\.weight$/.test(name)).length;
  return {
    depth: 6 * blocks + 4,
    width: extent("f.layer1.0.conv2.weight", 0) / 16,
    classes: extent("class_output.weight", 0),
    channels: extent("f.conv1.weight", 1),
    imageSize,
    norm: state.has("f.bn1.weight") ? "batch" : "none",
    unconditional: false,
  };
}

/** Splits a flat vector (parameters, gradients, momenta; whole or only its trained part) into named tensors. */
export function splitVector({ all }: ParameterSet, vector: Float32Array): StateDict {
  const covered = all.filter(({ offset, shape }) => offset + elements(shape) <= vector.length);
  return new Map(covered.map(({ name, offset, shape }) => {
    const data = vector.slice(offset, offset + elements(shape));
    return [name, parameterToPyTorch({ shape, data })];
  }));
}

/**
 * The inverse of {@link splitVector}.
 * @param prefix stands before every parameter's name in `tensors`
 * @throws {CheckpointError} if a tensor is missing, has another shape, or holds a value that is not finite.
 */
export function joinVector(
  { all }: ParameterSet,
  tensors: ReadonlyMap<string, HostTensor>,
  length: number,
  prefix = "",
): Float32Array {
  const vector = new Float32Array(length);
  for (const { name, offset, shape } of all) {
    if (offset >= length) continue;
    const expected = parameterToPyTorchShape(shape);
    const tensor = checked(tensors, prefix + name, expected);
    vector.set(parameterFromPyTorch(tensor).data, offset);
  }
  return vector;
}

/** Reads a model's parameters and running statistics, without `num_batches_tracked`. */
export async function readModel(model: WideResNet): Promise<StateDict> {
  const { parameters, runningStatistics, context } = model;
  const [values, running] = await context.read([parameters.values, runningStatistics.values]);
  const state = splitVector(parameters, values!);
  for (const { name, channels, offset } of runningStatistics.entries) {
    state.set(`${name}.running_mean`, { shape: [channels], data: running!.slice(offset, offset + channels) });
    state.set(`${name}.running_var`, {
      shape: [channels],
      data: running!.slice(offset + channels, offset + 2 * channels),
    });
  }
  return state;
}

/**
 * Overwrites a model's parameters and running statistics. Tensors that the model does not have are ignored.
 * @throws {CheckpointError} if a tensor is missing, has another shape, or holds a value that is not finite.
 */
export function writeModel(model: WideResNet, state: ReadonlyMap<string, HostTensor>): void {
  const { parameters, runningStatistics } = model;
  const values = joinVector(parameters, state, parameters.values.size);
  const running = new Float32Array(runningStatistics.values.size);
  for (const { name, channels, offset } of runningStatistics.entries) {
    running.set(checked(state, `${name}.running_mean`, [channels]).data, offset);
    running.set(checked(state, `${name}.running_var`, [channels]).data, offset + channels);
  }
  parameters.values.write(values);
  runningStatistics.values.write(running);
}

/**
 * The tensor of a name.
 * @throws {CheckpointError} if it is missing, has another shape, or holds a value that is not finite.
 */
export function checked(
  tensors: ReadonlyMap<string, HostTensor>,
  name: string,
  shape: readonly number[],
): HostTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new CheckpointError(`tensor ${name} is missing`);
  if (tensor.shape.length !== shape.length || tensor.shape.some((extent, axis) => extent !== shape[axis])) {
    throw new CheckpointError(`tensor ${name} has shape [${tensor.shape}], expected [${shape}]`);
  }
  const wrong = tensor.data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new CheckpointError(`tensor ${name} holds ${tensor.data[wrong]} at element ${wrong}`);
  return tensor;
}

function parameterToPyTorchShape(shape: readonly number[]): readonly number[] {
  const [kernel, width, inChannels, outChannels] = shape;
  return shape.length === 4 ? [outChannels!, inChannels!, kernel!, width!] : shape.toReversed();
}
