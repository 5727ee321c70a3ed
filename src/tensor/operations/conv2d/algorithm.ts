import type { Conv2dGradientWeight } from "../../../kernels/conv2d/gradient_weight.ts";
import { type Conv2dShape, conv2dSizes } from "../../../kernels/conv2d/shape.ts";
import type { Kernel } from "../../../kernels/kernel.ts";
import { sumPartials } from "../../../kernels/reduce/sum_partials.ts";
import type { Context } from "../../context.ts";
import type { Bindable } from "../../launch.ts";

/** A convolution, and whether its gradient is added to what the target holds. */
export interface AccumulatedConv2dShape extends Conv2dShape {
  readonly accumulate: boolean;
}

/** A way to compute a convolution or one of its gradients. */
export interface Conv2dAlgorithm<Shape extends Conv2dShape, Name extends string> {
  /** Unique within one kind of adapter and one direction; tables of choices name it. */
  readonly name: string;
  /** Records the computation: a launch, or several with temporaries in between. */
  launch(context: Context, shape: Shape, operands: Readonly<Record<Name, Bindable>>): void;
}

/** The algorithms for a convolution, its gradient with respect to the input, and that with respect to the weight. */
export interface Conv2dAlgorithms {
  readonly forward: Conv2dAlgorithm<Conv2dShape, "input" | "weight" | "bias" | "output">;
  readonly gradientInput: Conv2dAlgorithm<
    AccumulatedConv2dShape,
    "outputGradient" | "weight" | "inputGradient"
  >;
  readonly gradientWeight: Conv2dAlgorithm<
    AccumulatedConv2dShape,
    "input" | "outputGradient" | "weightGradient"
  >;
}

/** One of the three computations. */
export type Direction = keyof Conv2dAlgorithms;

/** All three. */
export const directions = ["forward", "gradientInput", "gradientWeight"] as const satisfies Direction[];

/** One launch of a kernel. */
export function byKernel<Shape extends Conv2dShape, Name extends string>(
  name: string,
  kernel: Kernel<Shape, Name>,
): Conv2dAlgorithm<Shape, Name> {
  return { name, launch: (context, shape, operands) => context.launch(kernel, shape, operands) };
}

/** A kernel that sums over parts of the pixels, followed by the sum of the parts. */
export function byParts(name: string, kernel: Conv2dGradientWeight): Conv2dAlgorithms["gradientWeight"] {
  return {
    name,
    launch(context, shape, { input, outputGradient, weightGradient: sum }) {
      const { accumulate } = shape;
      const length = conv2dSizes(shape).weight;
      const splits = kernel.splits(shape);
      using partials = context.empty([splits, length]);
      context.launch(kernel, shape, { input, outputGradient, partials });
      context.launch(sumPartials, { partials: splits, length, accumulate }, { partials, sum });
    },
  };
}
