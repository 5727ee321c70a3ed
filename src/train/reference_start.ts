import type { Initialisation } from "../jem/initialisation.ts";
import { hasBatchNorm, ReferenceChains, referenceCount, type StepSizes } from "../jem/reference_chains.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { streamWords } from "../random/philox.ts";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { type ChainStart, startImages, startingClasses } from "./chain_starts.ts";

/** Where batch norm's statistics come from when chains run: the chains' own reference, or the running ones. */
export const chainStatistics = ["batch", "running"] as const;

/** Of the random numbers; chains that are asked for have stream 0. */
const referenceStream = 1;

/** How the reference of some chains starts and runs: as these do. */
export interface ReferenceSettings extends StepSizes {
  readonly start: ChainStart;
  readonly seed: number;
  /** Whether the chains draw from p(x|y). */
  readonly conditional: boolean;
  /** See `ReferenceOptions.keep`. */
  readonly keep: boolean;
}

/**
 * A reference for chains of a model, the same for the same settings whatever the chains' number and class.
 * @returns nothing for a model without batch norm, whose chains depend on no batch
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
