import wgsl from "../../shaders/add.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** Elements of each of the three vectors of {@link add}. */
export interface VectorShape {
  readonly length: number;
}

/** sum = first + second, element by element. */
export const add: Kernel<VectorShape, "first" | "second" | "sum"> = {
  name: "add",
  wgsl,
  bindings: [
    { name: "first", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "second", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "sum", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: () => ({}),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
