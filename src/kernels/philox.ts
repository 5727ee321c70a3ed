import wgsl from "../../shaders/philox.wgsl" with { type: "text" };
import type { VectorShape } from "./add.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** Random values; `purpose` keeps consumers with one seed and step apart. */
export interface RandomShape extends VectorShape {
  readonly purpose: number;
}

const bindings: readonly Binding<VectorShape, "stream" | "values">[] = [
  { name: "stream", access: "read", bytes: () => 16 },
  { name: "values", access: "read-write", bytes: ({ length }) => bytes32(length) },
];

const workgroups = ({ length }: VectorShape) => foldWorkgroups(length / 4);

/** Uniform values in [low, high); `stream` is uint32 (seed low, seed high, step, call). */
export const philoxUniform: Kernel<
  RandomShape & { readonly low: number; readonly high: number },
  "stream" | "values"
> = {
  name: "philox",
  wgsl,
  entryPoint: "uniform",
  bindings,
  constants: ({ purpose, low, high }) => ({ purpose, low, high }),
  workgroups,
};

/** Standard normal values; `stream` is uint32 (seed low, seed high, step, call). */
export const philoxNormal: Kernel<RandomShape, "stream" | "values"> = {
  name: "philox",
  wgsl,
  entryPoint: "normal",
  bindings,
  constants: ({ purpose }) => ({ purpose }),
  workgroups,
};
