import wgsl from "../../shaders/add.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** Vectors of one length. */
export interface VectorShape {
  readonly length: number;
}

/** Vectors of one length, one of them multiplied by a number. */
export interface ScaledVectorShape extends VectorShape {
  readonly factor: number;
}

/** sum = first + factor · second, element by element. */
export const add: Kernel<ScaledVectorShape, "first" | "second" | "sum"> = {
  name: "add",
  wgsl,
  bindings: [
    { name: "first", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "second", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "sum", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ factor }) => ({ factor }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
