import type { Conv2dShape } from "../../../kernels/conv2d/shape.ts";
import type { Context } from "../../context.ts";
import type { Conv2dAlgorithms, Direction } from "./algorithm.ts";
import { conv2dCandidates, type ConvolutionAdapter } from "./candidates.ts";

/** Picks one of the algorithms that can compute a convolution in one direction; the first is the default. */
export type Conv2dChooser = <Algorithm extends { readonly name: string }>(
  candidates: readonly [Algorithm, ...Algorithm[]],
  direction: Direction,
  shape: Conv2dShape,
) => Algorithm;

/** The shape of a convolution in words. Different shapes have different words. */
export function describeConv2d(
  { batch, height, width, inChannels, outChannels, kernel, stride, padding }: Conv2dShape,
): string {
  return `${batch}×${height}×${width}, ${inChannels}→${outChannels}, kernel ${kernel}, stride ${stride}, padding ${padding}`;
}

/** The algorithms of a context's convolutions. */
export function conv2dChoice(context: Context): Conv2dChoice {
  return context.memo(newConv2dChoice);
}

function newConv2dChoice({ gpu, choose }: Context): Conv2dChoice {
  return new Conv2dChoice(gpu, choose);
}

/** The algorithms of all convolutions on one adapter. Each is chosen at its first use. */
class Conv2dChoice {
  readonly #adapter: ConvolutionAdapter;
  readonly #choose: Conv2dChooser;
  readonly #chosen: { readonly [Name in Direction]: Map<string, Conv2dAlgorithms[Name]> } = {
    forward: new Map(),
    gradientInput: new Map(),
    gradientWeight: new Map(),
  };

  constructor(adapter: ConvolutionAdapter, choose: Conv2dChooser) {
    this.#adapter = adapter;
    this.#choose = choose;
  }

  /** The algorithm for a convolution of this shape in this direction; always the same. */
  of<Name extends Direction>(direction: Name, shape: Conv2dShape): Conv2dAlgorithms[Name] {
    const chosen: Map<string, Conv2dAlgorithms[Name]> = this.#chosen[direction];
    const key = describeConv2d(shape);
    let algorithm = chosen.get(key);
    if (!algorithm) {
      algorithm = this.#choose(conv2dCandidates(this.#adapter, shape)[direction], direction, shape);
      chosen.set(key, algorithm);
    }
    return algorithm;
  }
}
