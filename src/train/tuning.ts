import type { Dataset } from "../data/dataset.ts";
import { Gpu } from "../gpu/gpu.ts";
import type { Conv2dShape } from "../kernels/conv2d/shape.ts";
import type { ActivationType } from "../nn/wide_resnet.ts";
import { Context } from "../tensor/context.ts";
import type { Direction } from "../tensor/operations/conv2d/algorithm.ts";
import type { Conv2dChooser } from "../tensor/operations/conv2d/choice.ts";
import { type Conv2dTable, conv2dTable } from "../tensor/operations/conv2d/table.ts";
import { type CandidateTime, timeConv2d } from "../tensor/operations/conv2d/timing.ts";
import type { Configuration } from "./configuration.ts";
import { Trainer } from "./trainer.ts";

/** A convolution in one direction that several algorithms can compute. */
export interface TunableConvolution {
  readonly direction: Direction;
  readonly shape: Conv2dShape;
}

/** The time of each algorithm, the default first, and the chosen one. */
export interface TunedConvolution extends TunableConvolution {
  readonly times: readonly CandidateTime[];
  readonly chosen: CandidateTime;
}

/** The default stays unless another takes less than this share of its time. Smaller differences are noise. */
const worthwhileShare = 0.97;

/** The convolutions of a training iteration for which there is a choice. */
export async function tunableConvolutions(
  configuration: Configuration,
  dataset: Dataset,
): Promise<TunableConvolution[]> {
  const found: TunableConvolution[] = [];
  // On a device of its own, because a recorded iteration holds its memory until the device is destroyed.
  const gpu = await (configuration.products === "float16" ? Gpu.withMatrixUnits() : Gpu.request());
  const choose: Conv2dChooser = (candidates, direction, shape) => {
    if (candidates.length > 1) found.push({ direction, shape });
    return candidates[0];
  };
  const context = new Context(gpu, { choose });
  try {
    new Trainer(context, configuration, dataset).record();
    await gpu.read([]);
  } finally {
    gpu.destroy();
  }
  return found;
}

/**
 * Times all algorithms for convolutions, and chooses.
 * @param activations type of inputs and outputs
 * @param progress called before each convolution with the number of finished ones
 */
export async function tuneConvolutions(
  context: Context,
  convolutions: readonly TunableConvolution[],
  activations: ActivationType,
  progress: (done: number, next: TunableConvolution) => void,
): Promise<TunedConvolution[]> {
  const tuned: TunedConvolution[] = [];
  for (const convolution of convolutions) {
    progress(tuned.length, convolution);
    const times = await timeConv2d(context, convolution.direction, convolution.shape, { activations });
    tuned.push({ ...convolution, times, chosen: chooseFastest(times) });
  }
  return tuned;
}

/** The fastest, if it beats the default, which is the first, by more than noise. */
export function chooseFastest(times: readonly CandidateTime[]): CandidateTime {
  const [standard] = times;
  const fastest = times.reduce((best, time) => time.milliseconds < best.milliseconds ? time : best);
  return fastest.milliseconds < worthwhileShare * standard!.milliseconds ? fastest : standard!;
}

/** The choices as a table. */
export function tuningTable(gpu: Gpu, tuned: readonly TunedConvolution[]): Conv2dTable {
  return conv2dTable(
    gpu,
    tuned.map(({ direction, shape, chosen }) => ({ direction, ...shape, algorithm: chosen.name })),
  );
}
