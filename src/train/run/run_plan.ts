/** What a run's files say about its course, whatever version wrote them. */

type Contents = Readonly<Record<string, unknown>>;

/**
 * Number of real images in an iteration, labelled ones and those of the likelihood; undefined if the configuration does
 * not say.
 */
export function imagesPerIteration(configuration: Contents): number | undefined {
  const [labelled, likelihood, weight] = ["labelledBatch", "likelihoodBatch", "likelihoodWeight"]
    .map((name) => numberOf(configuration, name));
  if (labelled === undefined || likelihood === undefined || weight === undefined) return undefined;
  return labelled + (weight > 0 ? likelihood : 0);
}

/**
 * Number of iterations of the whole run; undefined if the files do not say.
 * @param data contents of `data.json`
 */
export function plannedIterations(configuration: Contents, data: Contents): number | undefined {
  const iterations = numberOf(configuration, "iterations");
  if (iterations !== undefined) return iterations;
  const [epochs, batch] = ["epochs", "labelledBatch"].map((name) => numberOf(configuration, name));
  const images = numberOf(data, "trainingImages");
  const isAll = (configuration["labelsPerClass"] ?? null) === null;
  if (epochs === undefined || !batch || images === undefined || !isAll) return undefined;
  return Math.ceil(epochs * Math.floor((images - (numberOf(configuration, "validationCount") ?? 0)) / batch));
}

function numberOf(contents: Contents, name: string): number | undefined {
  const value = contents[name];
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
