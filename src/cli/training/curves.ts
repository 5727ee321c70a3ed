import { basename, resolve } from "node:path";
import { FormatError, StorageError } from "../../errors.ts";
import { curvesPage } from "../../report/curves/page.ts";
import { systemProblem, writeAtomically } from "../../train/run/files.ts";
import { damagedText } from "../../train/run/damaged_lines.ts";
import { runCurves } from "../../train/run/run_curves.ts";
import type { Session } from "./session.ts";

/** The page with a run's curves, beside its metrics. */
const curvesFile = "curves.html";

/** Trains, and leaves the curves of the result, even if training ends in an error. */
export async function leavingCurves<Result>(
  session: Session,
  train: () => Promise<Result>,
): Promise<Result> {
  try {
    return await train();
  } finally {
    if (session.directory) await leaveCurves(session);
  }
}

/** Writes `curves.html`. A failure is no reason to fail the training. */
async function leaveCurves({ path, configuration, line }: Session): Promise<void> {
  const file = `${path}/${curvesFile}`;
  const name = basename(resolve(path));
  try {
    const curves = await runCurves(path, name);
    if (!curves) return;
    const { dataset, depth, width } = configuration;
    const lost = curves.damaged > 0 ? [damagedText(curves.damaged)] : [];
    const about = `WRN-${depth}-${width} on ${dataset}, ${curves.rows.toLocaleString("en")} iterations`;
    await writeAtomically(file, curvesPage(`Training of ${name}`, [about, ...lost], [curves.run]));
  } catch (error) {
    const isKnown = error instanceof StorageError || error instanceof FormatError;
    const problem = isKnown ? error.message : systemProblem(error);
    if (problem === undefined) throw error;
    line.note(`warning: ${isKnown ? "" : `${file}: `}${problem}; the curves are not written`);
  }
}
