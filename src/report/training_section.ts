import { basename, resolve } from "node:path";
import { FormatError } from "../errors.ts";
import { systemProblem } from "../train/run/files.ts";
import { damagedText } from "../train/run/damaged_lines.ts";
import { runCurves } from "../train/run/run_curves.ts";
import type { Block, Section } from "./html.ts";

/**
 * The curves of a model's training as a section; undefined if it has left no metrics. Unreadable metrics are no reason
 * to lose a report.
 * @param folder the run's folder, if there is one
 */
export async function trainingSection(folder: string | undefined): Promise<Section[]> {
  if (folder === undefined) return [];
  const blocks = await trainingBlocks(folder).catch(unreadable);
  return blocks.length > 0 ? [{ title: "Training", blocks }] : [];
}

async function trainingBlocks(folder: string): Promise<Block[]> {
  const curves = await runCurves(folder, basename(resolve(folder)));
  if (!curves) return [];
  const { run, damaged } = curves;
  const lost: Block[] = damaged > 0 ? [{ kind: "text", text: damagedText(damaged) }] : [];
  return [...lost, { kind: "curves", runs: [run] }];
}

function unreadable(error: unknown): Block[] {
  const problem = error instanceof FormatError ? error.message : systemProblem(error);
  if (problem === undefined) throw error;
  return [{ kind: "text", text: `The curves of the training could not be read: ${problem}.` }];
}
