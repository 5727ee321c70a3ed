import { GpuError } from "../../../errors.ts";
import { type Clock, type Effort, type Part, timeInTurns } from "../../../gpu/time_in_turns.ts";
import { type Conv2dShape, conv2dSizes } from "../../../kernels/conv2d/shape.ts";
import { leakyRelu } from "../../../kernels/vector/leaky_relu.ts";
import { Purpose } from "../../../random/philox.ts";
import type { Context } from "../../context.ts";
import type { ElementType } from "../../element_type.ts";
import type { Tensor } from "../../tensor.ts";
import type { Conv2dAlgorithm, Direction } from "./algorithm.ts";
import { conv2dCandidates } from "./candidates.ts";
import { uniform } from "../random.ts";

/** How long an algorithm takes. */
export interface CandidateTime {
  readonly name: string;
  /** The fastest of several runs, because whatever else the machine does only adds time. */
  readonly milliseconds: number;
}

/** Enough for each candidate to meet a quiet moment on a machine that does other things, in most cases. */
const effort: Effort = { rounds: 10, milliseconds: 1000 };

/** Options of {@link timeConv2d}. */
export interface TimingOptions {
  /** Type of inputs and outputs; float32 by default. */
  readonly activations?: "float32" | "float16";
  readonly clock?: Clock;
}

/**
 * Times every candidate for a convolution in one direction, the default first, on random numbers. A candidate that
 * exceeds a limit of the device with this shape is left out.
 * @throws {GpuError} if the default exceeds a limit.
 */
export async function timeConv2d(
  context: Context,
  direction: Direction,
  shape: Conv2dShape,
  { activations = "float32", clock }: TimingOptions = {},
): Promise<CandidateTime[]> {
  const { gpu } = context;
  const candidates = conv2dCandidates(gpu, shape)[direction] as readonly Candidate[];
  const parts: (Part & { readonly name: string })[] = [];
  using stream = context.from(Uint32Array.of(1, 0, 0, 0), [4]);
  const plan = context.capture(() => {
    const operands = randomOperands(stream, shape, activations);
    for (const [i, candidate] of candidates.entries()) {
      // Each candidate pays for its own copies into textures.
      gpu.forgetCopies();
      const start = gpu.recorded;
      try {
        candidate.launch(context, { ...shape, accumulate: false }, operands);
      } catch (error) {
        if (i > 0 && error instanceof GpuError) continue;
        throw error;
      }
      parts.push({ name: candidate.name, start, end: gpu.recorded });
    }
  });
  try {
    // Fills the operands, and warms up.
    gpu.run(plan);
    const times = await timeInTurns(gpu, plan, parts, effort, clock);
    return parts.map(({ name }, i) => ({ name, milliseconds: Math.min(...times.map((round) => round[i]!)) }));
  } finally {
    plan.destroy();
  }
}

type Operand = "input" | "weight" | "bias" | "output" | `${"input" | "weight" | "output"}Gradient`;
type Candidate = Conv2dAlgorithm<Conv2dShape & { readonly accumulate: boolean }, Operand>;

/** Everything that the three directions read and write. */
function randomOperands(
  stream: Tensor,
  shape: Conv2dShape,
  activations: ElementType,
): Record<Operand, Tensor> {
  const { input, weight, output } = conv2dSizes(shape);
  const values = (length: number) => uniform(stream, Purpose.inputNoise, [length], { low: -1, high: 1 });
  return {
    input: stored(values(input), activations),
    weight: values(weight),
    bias: values(shape.outChannels),
    output: stored(values(output), activations),
    inputGradient: values(input),
    weightGradient: values(weight),
    outputGradient: values(output),
  };
}

/** The same values in another type. */
function stored(values: Tensor, type: ElementType): Tensor {
  if (values.type === type) return values;
  const { context } = values;
  const output = context.empty(values.shape, type);
  // A slope of 1 copies.
  context.launch(leakyRelu, { length: values.size, slope: 1 }, { input: values, output });
  return output;
}
