import { CheckpointError } from "../errors.ts";
import { type HostTensor, parameterFromPyTorch, parameterToPyTorch } from "../formats/pytorch/layout.ts";
import { ParameterSet } from "../tensor/parameters.ts";
import { elements } from "../tensor/tensor.ts";
import type { NormName } from "./norms.ts";
import { RunningStatistics } from "./running_statistics.ts";
import {
  type Architecture,
  declareLayers,
  groupCount,
  stemChannels,
  type WideResNet,
} from "./wide_resnet.ts";

/** Named tensors under the official names and in PyTorch's layout. */
export type StateDict = Map<string, HostTensor>;

/** Facts about a model that its state dict may not tell. */
export interface ArchitectureHints {
  /** Side of the images; by default 64 with four groups, else 32. */
  readonly imageSize?: number | undefined;
  /** Needed to tell instance from layer norm, whose parameters look the same. */
  readonly norm?: NormName | undefined;
  /** Whether images are scored by the energy head, which every official state dict contains; false by default. */
  readonly unconditional?: boolean | undefined;
  /** Share of dropped values in training; 0 by default. */
  readonly dropout?: number | undefined;
}

/** Shapes by the official names; a tensor must have as many elements as its shape says. */
type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/**
 * The architecture of an official state dict, from its names and shapes. All large weights have been found when it
 * returns, so a model of this architecture takes at most a few times the memory of the state dict.
 * @throws {CheckpointError} if it is not a Wide ResNet of the official code, or the hints contradict it.
 */
export function inferArchitecture(state: Shapes, hints: ArchitectureHints = {}): Architecture {
  const blocks = [...state.keys()].filter((name) => /^f\.layer1\.\d+\.conv1\.weight$/.test(name)).length;
  const groups = state.has("f.layer4.0.conv1.weight") ? 4 : 3;
  const imageSize = hints.imageSize ?? (groups === 4 ? 64 : 32);
  if (groupCount(imageSize) !== groups) {
    throw new CheckpointError(`a network of ${groups} groups is not one for images of ${imageSize} pixels`);
  }
  const firstGroup = extent(state, "f.layer1.0.conv2.weight", 0);
  const channels = extent(state, "f.conv1.weight", 1);
  const classes = extent(state, "class_output.weight", 0);
  requireShape(state, "f.conv1.weight", [stemChannels, channels, 3, 3]);
  for (let group = 0; group < groups; group++) {
    const size = firstGroup * 2 ** group;
    for (let i = 0; i < blocks; i++) {
      requireShape(state, `f.layer${group + 1}.${i}.conv2.weight`, [size, size, 3, 3]);
    }
  }
  requireShape(state, "class_output.weight", [classes, firstGroup * 2 ** (groups - 1)]);
  return {
    depth: 6 * blocks + 4,
    width: firstGroup / stemChannels,
    classes,
    channels,
    imageSize,
    norm: inferNorm(state, hints.norm),
    dropout: hints.dropout ?? 0,
    unconditional: hints.unconditional ?? false,
  };
}

/**
 * The names of all tensors in a model of an architecture: its parameters and running statistics.
 * @throws {CheckpointError} if one of them is missing from a state dict, or has another shape.
 * @throws {ConfigurationError} if the architecture is impossible.
 */
export function requireComplete(state: Shapes, architecture: Architecture): string[] {
  const [parameters, statistics] = [new ParameterSet(), new RunningStatistics()];
  declareLayers(architecture, parameters, statistics);
  const shapes = [
    ...parameters.all.map(({ name, shape }) => [name, officialShape(name, shape)] as const),
    ...statistics.entries.flatMap(({ name, channels }) =>
      ["running_mean", "running_var"].map((kind) => [`${name}.${kind}`, [channels]] as const)
    ),
  ];
  for (const [name, shape] of shapes) requireShape(state, name, shape);
  return shapes.map(([name]) => name);
}

function extent(state: Shapes, name: string, axis: number): number {
  const value = state.get(name)?.shape[axis];
  if (value === undefined) throw new CheckpointError(`tensor ${name} is missing`);
  if (value === 0) throw new CheckpointError(`tensor ${name} is empty`);
  return value;
}

function requireShape(state: Shapes, name: string, shape: readonly number[]): void {
  const found = state.get(name)?.shape;
  if (!found) throw new CheckpointError(`tensor ${name} is missing`);
  if (!sameShape(found, shape)) {
    throw new CheckpointError(`tensor ${name} has shape [${found}], expected [${shape}]`);
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** The norm that a state dict's names show. */
function inferNorm(state: ReadonlyMap<string, unknown>, hint: NormName | undefined): NormName {
  const possible: NormName[] = state.has("f.bn1.running_mean")
    ? ["batch"]
    : state.has("f.bn1.loc")
    ? ["act"]
    : state.has("f.bn1.weight")
    ? ["instance", "layer"]
    : ["none"];
  if (hint !== undefined && !possible.includes(hint)) {
    throw new CheckpointError(`the model has norm ${possible.join(" or ")}, not ${hint}`);
  }
  const norm = hint ?? (possible.length === 1 ? possible[0] : undefined);
  if (!norm) {
    throw new CheckpointError(
      `the model's norm may be ${possible.join(" or ")}; say which (--norm; in training --set norm=NAME)`,
    );
  }
  return norm;
}

/** Splits a flat vector (parameters, gradients, momenta; whole or only its trained part) into named tensors. */
export function splitVector({ all }: ParameterSet, vector: Float32Array): StateDict {
  const covered = all.filter(({ offset, shape }) => offset + elements(shape) <= vector.length);
  return new Map(covered.map(({ name, offset, shape }) => {
    const data = vector.slice(offset, offset + elements(shape));
    return [name, { shape: officialShape(name, shape), data: parameterToPyTorch({ shape, data }).data }];
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
    const tensor = checked(tensors, prefix + name, officialShape(name, shape));
    vector.set(shape.length === 1 ? tensor.data : parameterFromPyTorch(tensor).data, offset);
  }
  return vector;
}

/** Reads a model's parameters and running statistics, without `num_batches_tracked` and `initialized`. */
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
 * The tensor with a name.
 * @throws {CheckpointError} if it is missing, has another shape, or holds a value that is not finite.
 */
export function checked(
  tensors: ReadonlyMap<string, HostTensor>,
  name: string,
  shape: readonly number[],
): HostTensor {
  requireShape(tensors, name, shape);
  const tensor = tensors.get(name)!;
  const wrong = tensor.data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new CheckpointError(`tensor ${name} holds ${tensor.data[wrong]} at element ${wrong}`);
  return tensor;
}

/** The shape of a parameter in PyTorch's layout; act norm's are `[1, C, 1, 1]` there. */
function officialShape(name: string, shape: readonly number[]): readonly number[] {
  if (/\.(loc|scale)$/.test(name)) return [1, ...shape, 1, 1];
  const [kernel, width, inChannels, outChannels] = shape;
  return shape.length === 4 ? [outChannels!, inChannels!, kernel!, width!] : shape.toReversed();
}
