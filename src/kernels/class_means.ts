import wgsl from "../../shaders/class_means.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";

/** A data set of bytes whose images are grouped by class. */
export interface ClassShape {
  readonly classes: number;
  /** All values of an image. */
  readonly pixels: number;
  /** Images in the data set. */
  readonly count: number;
  /** Images of the largest class. */
  readonly maximumCount: number;
  /** Byte that stands for full intensity. */
  readonly maximum: number;
}

/** Throws a `RangeError` if a class has more images than one loop may go through on every driver. */
export function requireClassSize(maximumCount: number): void {
  requireShape(
    maximumCount <= 65_535,
    "classes",
    `${maximumCount} images of one class; at most 65,535 are summed`,
  );
}

/** Each class's mean image in [−1, 1], `[classes, pixels]`. */
export const classMeans: Kernel<ClassShape, "bytes" | "members" | "means"> = {
  name: "class_means",
  wgsl,
  bindings: [
    { name: "bytes", access: "read", bytes: ({ count, pixels }) => bytes32(Math.ceil(count * pixels / 4)) },
    { name: "members", access: "read", bytes: ({ classes, count }) => bytes32(2 * classes + count) },
    { name: "means", access: "read-write", bytes: ({ classes, pixels }) => bytes32(classes * pixels) },
  ],
  constants: ({ classes, pixels, maximum, maximumCount }) => {
    requireClassSize(maximumCount);
    return { classes, pixels, maximum };
  },
  workgroups: ({ classes, pixels }) => foldWorkgroups(classes * pixels),
};
