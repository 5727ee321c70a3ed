/** Reads reference files, and keeps track of which of their tensors have been used. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { HostTensor } from "../../src/formats/pytorch/layout.ts";
import {
  float32Of,
  numbersOf,
  parseSafetensors,
  type SafetensorsFile,
} from "../../src/formats/safetensors.ts";
import { inferArchitecture, type StateDict, writeModel } from "../../src/nn/state_dict.ts";
import type { NormName } from "../../src/nn/norms.ts";
import { WideResNet } from "../../src/nn/wide_resnet.ts";
import type { Context } from "../../src/tensor/context.ts";

/** What the file says about the deviation of one tensor, or of one group, in float32 runs of the official code. */
export interface Deviation {
  readonly max_abs: number;
  readonly rel_l2: number;
  readonly max_reference?: number;
  readonly zero_up_to_rounding?: boolean;
}

/** The folder of reference files: `GOLDEN_DIR`, by default the bundled one. */
export const goldenFolder = Deno.env.get("GOLDEN_DIR") ?? fileURLToPath(new URL("data", import.meta.url));

/** Paths of the reference files whose names match, below {@link goldenFolder}. */
export function goldenFiles(pattern: RegExp): string[] {
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) visit(`${folder}/${name}`);
      else if (pattern.test(name)) found.push(`${folder}/${name}`);
    }
  };
  visit(goldenFolder);
  return found.sort();
}

/** One reference file. */
export class GoldenFile {
  readonly name: string;
  readonly #file: SafetensorsFile;
  readonly #deviations: Record<string, Deviation>;
  readonly #groups: Record<string, Deviation>;
  readonly #untouched: Set<string>;

  /** @param bytes of the file, by default those at `path` */
  constructor(readonly path: string, bytes: Uint8Array = Deno.readFileSync(path)) {
    this.name = path.startsWith(`${goldenFolder}/`) ? path.slice(goldenFolder.length + 1) : path;
    this.#file = parseSafetensors(bytes);
    const { metadata } = this.#file;
    this.#deviations = JSON.parse(metadata["float32_deviation"] ?? "{}");
    this.#groups = JSON.parse(metadata["float32_deviation_by_group"] ?? "{}");
    this.#untouched = new Set(this.#file.tensors.keys());
  }

  /** Another file of the same folder. */
  sibling(name: string): GoldenFile {
    return new GoldenFile(`${this.path.slice(0, this.path.lastIndexOf("/"))}/${name}`);
  }

  /** Hyper-parameters from the file's metadata. Every kind of file has its own. */
  hyper<Kind>(): Kind {
    return JSON.parse(this.#file.metadata["hyper"] ?? "{}");
  }

  /** Names of all tensors, sorted. */
  get names(): string[] {
    return [...this.#file.tensors.keys()].sort();
  }

  has(name: string): boolean {
    return this.#file.tensors.has(name);
  }

  /** A tensor as float32. It then counts as used. */
  tensor(name: string): HostTensor {
    const tensor = this.#file.tensors.get(name);
    assert(tensor, `${this.name} has no tensor ${name}`);
    this.#untouched.delete(name);
    return { shape: tensor.shape, data: float32Of(tensor) };
  }

  /** A tensor's elements as numbers, exact for integers. It then counts as used. */
  numbers(name: string): Float64Array {
    const tensor = this.#file.tensors.get(name);
    assert(tensor, `${this.name} has no tensor ${name}`);
    this.#untouched.delete(name);
    return numbersOf(tensor);
  }

  /** All tensors below a prefix, by the rest of their names. They then count as used. */
  state(prefix: string): StateDict {
    const names = this.names.filter((name) => name.startsWith(prefix));
    return new Map(names.map((name) => [name.slice(prefix.length), this.tensor(name)]));
  }

  /** The recorded deviation of a tensor, or of its group: the part of its name before `.f.`, `.class_output.`…. */
  deviation(name: string): Deviation {
    const group = name.replace(/\.(f|class_output|energy_output)\..*$/, "");
    const deviation = this.#groups[group] ?? this.#groups[name] ?? this.#deviations[name];
    assert(deviation, `${this.name} records no deviation for ${name}`);
    return { ...deviation, zero_up_to_rounding: this.#deviations[name]?.zero_up_to_rounding ?? false };
  }

  /** Fails if the file contains a tensor that no test has read. */
  assertAllUsed(): void {
    assert.deepEqual([...this.#untouched], [], `${this.name}: tensors that no test compares`);
  }
}

/** Builds the model of an official state dict: architecture from the shapes, then parameters and statistics. */
export function modelOf(context: Context, state: StateDict, imageSize: number, norm?: NormName): WideResNet {
  const model = new WideResNet(context, inferArchitecture(state, { imageSize, norm }), 0);
  writeModel(model, state);
  model.runningStatistics.batchesTracked = state.get("f.bn1.num_batches_tracked")?.data[0] ?? 0;
  return model;
}
