import { FloatImages } from "../../evaluate/features.ts";
import type { AnswerBuilder, KeyFigure, Progress, QuestionOptions, Subject } from "../question.ts";
import { addFidelity, fidelityResults, keyFidelity } from "./fidelity.ts";
import { addMemorisation, addNeighbours, memorisationResults } from "./memorisation.ts";
import { bufferSamples } from "./samples.ts";
import type { Space } from "./space.ts";

/** Samples whose nearest neighbours are sought. */
interface Sought {
  readonly images: FloatImages;
  /** Their source, in words. */
  readonly origin: string;
  /** The samples that are shown, by rows. */
  readonly shown: readonly (readonly number[])[];
}

/**
 * Compares samples with their nearest neighbours, and adds the results: how they lie among real images, with as many
 * entries of the replay buffer beside fresh chains, and whether they are copies.
 * @param space the space of the search, or the reason why there is none
 * @returns numbers for `results.json`, and figures for the report's head
 */
export async function addNearest(
  report: AnswerBuilder,
  subject: Subject,
  { freshSamples, seed }: QuestionOptions,
  space: Space | string,
  { images, origin, shown }: Sought,
  progress: Progress,
): Promise<{ readonly results?: Readonly<Record<string, unknown>>; readonly key: readonly KeyFigure[] }> {
  if (typeof space === "string") {
    report.text(space);
    return { key: [] };
  }
  const { model: { context }, train } = subject;
  const entries = freshSamples > 0 ? bufferSamples(subject, images.count) : undefined;
  const buffer = entries && new FloatImages(context, entries.images, train.shape);
  const sets = { samples: images, buffer };
  if (space.caution !== undefined) report.warning(space.caution);
  const fidelity = await fidelityResults(subject, space, sets, seed, progress);
  const memorisation = await memorisationResults(subject, space, sets, seed);
  if (typeof fidelity === "string") report.text(fidelity);
  else addFidelity(report, fidelity, origin);
  addMemorisation(report, memorisation);
  await addNeighbours(report, subject, space, sets, shown, memorisation.medianOfHeldOut);
  if (typeof fidelity === "string") return { results: { memorisation }, key: [] };
  return { results: { fidelity, memorisation }, key: keyFidelity(fidelity) };
}
