import type { Initialisation } from "../jem/initialisation.ts";
import { hasBatchNorm, ReferenceChains, referenceCount, type StepSizes } from "../jem/reference_chains.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { streamWords } from "../random/philox.ts";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { type ChainStart, startImages, startingClasses } from "./chain_starts.ts";

/** Source of batch norm's statistics when chains run: the chains' own reference, or the running statistics. */
export const chainStatistics = ["batch", "running"] as const;

/** Stream of the reference's random numbers. Requested chains have stream 0. */
const referenceStream = 1;

/** How the reference of some chains starts and runs, which is how they do. */
export interface ReferenceSettings extends StepSizes {
  readonly start: ChainStart;
  readonly seed: number;
  /** Whether the chains draw from p(x|y). */
  readonly conditional: boolean;
  /** See `ReferenceOptions.keep`. */
  readonly keep: boolean;
}

/**
 * A reference for chains of a model. The same settings give the same reference, whatever the number and class of the
 * chains.
 * @returns undefined for a model without batch norm, whose chains do not depend on a batch
 */
export async function startReference(
  model: WideResNet,
  checkpoint: Checkpoint,
  settings: ReferenceSettings,
  informative: () => Promise<Initialisation>,
): Promise<ReferenceChains | undefined> {
  if (!hasBatchNorm(model)) return undefined;
  const { context } = model;
  const { start, seed, conditional } = settings;
  const named = checkpoint.images.classNames.length;
  const classes = startingClasses(referenceCount(named), named, undefined);
  const images = await startImages(
    context,
    checkpoint,
    start,
    classes,
    seed,
    informative,
    0,
    referenceStream,
  );
  return new ReferenceChains(model, images.disown(), {
    ...settings,
    labels: conditional ? context.from(classes, [classes.length]).disown() : undefined,
    streamOf: (step) => streamWords(seed, step, referenceStream),
  });
}
