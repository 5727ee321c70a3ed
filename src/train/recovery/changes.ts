/** Which options of a run may be changed by hand when it is resumed, and the record of such changes. */

import { ConfigurationError } from "../../errors.ts";
import type { Configuration } from "../configuration.ts";

type Option = keyof Configuration;
type Change = Configuration["history"][number];

const model = "the parameters so far are those of that model";
const data = "the parameters so far come from those images";
const order = "which images an iteration sees follows from it";
const state = "the checkpoints hold the state that belongs to it";
const climb = "it decides which run the shards compute together";

/** Why an option cannot change. All others may. */
const fixed: Readonly<Partial<Record<Option, string>>> = {
  dataset: data,
  dataLimit: data,
  imageSize: data,
  testShare: data,
  validationCount: data,
  labelsPerClass: data,
  depth: model,
  width: model,
  norm: model,
  dropout: model,
  unconditional: model,
  activations: model,
  products: model,
  likelihoodBatch: order,
  labelledBatch: order,
  shards: state,
  ascent: climb,
  bufferSize: state,
  optimizer: state,
};

/**
 * The configuration of a run that continues with other options, and the new entry of its history.
 * @param at the iteration from which on they hold, and the attempts to recover before it
 * @throws {ConfigurationError} naming an option that cannot change, and why.
 */
export function changedConfiguration(
  before: Configuration,
  after: Configuration,
  at: { readonly iteration: number; readonly attempts: number },
): Configuration {
  const options = (Object.keys(after) as Option[]).filter((option) => option !== "history");
  const changed = options.filter((option) =>
    JSON.stringify(before[option]) !== JSON.stringify(after[option])
  );
  if (changed.length === 0) return before;
  for (const option of changed) {
    const why = fixed[option] ?? likelihoodSwitched(option, before, after);
    if (!why) continue;
    throw new ConfigurationError(
      `${option} cannot be changed when a run is resumed: ${why}; start a new run`,
    );
  }
  const changes = Object.fromEntries(
    changed.map((option) => [option, [before[option], after[option]]]),
  ) as Change["changes"];
  return { ...after, history: [...before.history, { ...at, changes }] };
}

/** Options that are changed to cure a diverging run. */
const cures: readonly Option[] = ["learningRate", "stepSize", "rho", "likelihoodWeight"];

/**
 * Attempts to recover that a later change by hand has settled. They no longer lower the learning rate, and no longer
 * count towards the allowed number.
 */
export function settledAttempts({ history }: Configuration): number {
  return history.findLast(({ changes }) => cures.some((option) => option in changes))?.attempts ?? 0;
}

/** Without a likelihood there is no replay buffer, and none can be added later. */
function likelihoodSwitched(option: Option, before: Configuration, after: Configuration): string | undefined {
  const switched = (before.likelihoodWeight === 0) !== (after.likelihoodWeight === 0);
  return option === "likelihoodWeight" && switched
    ? "only runs that are started with a likelihood term have a replay buffer"
    : undefined;
}
