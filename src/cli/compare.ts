import { parseArgs } from "node:util";
import { readIfPresent } from "../data/files.ts";
import { CheckpointError, FormatError } from "../errors.ts";
import { comparisonSection, type Evaluation } from "../report/comparison.ts";
import { evaluationOf, mostResultBytes } from "../report/evaluation_file.ts";
import { reportPage } from "../report/html.ts";
import { axes, trainingComparison } from "../report/training_comparison.ts";
import { jsonText, writeAtomically } from "../train/run/files.ts";
import { parseJson } from "../train/run/run_directory.ts";
import { readTrainedRun, type TrainedRun } from "../train/run/trained_run.ts";
import { type Command, execute, exitStatus, print, printError, UsageError } from "./command.ts";
import { table } from "./format.ts";
import { writeOnly } from "./permissions.ts";

const help = `
Put runs side by side, in tables and one report: where each stands, its curves, and what has been evaluated. Runs may
still be going on, may have stopped, and need not have been evaluated. Figures of different data, images, attacks or
samples are marked with ≠, and the report says what differs.

Usage: ./run compare RUN RUN... [options]

  RUN                 a run directory, evaluated by "./run evaluate --model RUN" or not, or a folder with the
                      results.json of an evaluation. Evaluated runs whose names differ only in a trailing number, such
                      as a seed, become one column of means
  --by AXIS           how curves are aligned: by iteration, or by time of training (default: iteration)
  --out DIR           where report.html, results.json and the plots go (default: comparison)
  --debug             show the stack trace of an error
  --help              show this text

Examples:
  ./run compare runs/softmax runs/jem runs/sada-jem
  ./run compare runs/one runs/two --by time
  ./run compare runs/ablation/* --out docs/images/ablation
`;

/** Most bytes of a picture of samples, which becomes part of the report. */
const mostPictureBytes = 2 ** 24;

const options = {
  by: { type: "string", default: "iteration" },
  out: { type: "string", default: "comparison" },
  debug: { type: "boolean" },
} as const;

const compare: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      strict: true,
      allowPositionals: true,
    });
    if (positionals.length < 2) throw new UsageError("compare takes at least two runs");
    const by = axes.find((axis) => axis === values.by);
    if (!by) throw new UsageError(`--by takes ${axes.join(" or ")}`);
    await writeOnly({ folders: [values.out] });
    const names = runNames(positionals);
    const runs: ComparedRun[] = [];
    for (const [i, run] of positionals.entries()) runs.push(await readRun(run, names[i]!));
    const evaluations = runs.flatMap(({ evaluation }) => evaluation ?? []);
    const trained = runs.flatMap(({ training }) => training ?? []);
    const evaluated = evaluations.length > 0 ? await comparisonSection(evaluations) : undefined;
    const training = trained.length > 0 ? await trainingComparison(trained, by) : undefined;
    const parts = [evaluated, training].filter((part) => part !== undefined);
    await Deno.mkdir(values.out, { recursive: true });
    for (const { files } of parts) {
      for (const [name, contents] of files) await writeAtomically(`${values.out}/${name}`, contents);
    }
    const page = reportPage({
      title: "Comparison",
      subtitle: positionals.join(", "),
      key: [],
      sections: parts.map(({ section }) => section),
    });
    await writeAtomically(`${values.out}/report.html`, page);
    const results = { ...evaluated?.results, ...(training && { training: training.results }) };
    await writeAtomically(`${values.out}/results.json`, jsonText(results));
    const warnings = [...runs.flatMap(warningsOf), ...parts.flatMap((part) => part.warnings)];
    for (const warning of warnings) printError(`warning: ${warning}`);
    print(parts.map(({ table: rows }) => table(rows)).join("\n\n"));
    const open = runs.flatMap(({ evaluation, folder }) => evaluation ? [] : folder);
    if (open.length > 0) print(`not evaluated: ${open.join(", ")}; ./run evaluate --model RUN does that`);
    print(`wrote ${values.out}/report.html, results.json and plots`);
    return exitStatus.success;
  },
};

/** What is known about a run: its training, its evaluation, or both. */
interface ComparedRun {
  readonly folder: string;
  readonly evaluation: Evaluation | undefined;
  /** Undefined if it has no metrics. */
  readonly training: TrainedRun | undefined;
}

async function readRun(folder: string, name: string): Promise<ComparedRun> {
  const evaluation = await readEvaluation(folder, name);
  const run = await readTrainedRun(folder, name);
  const training = run && run.metrics.rows > 0 ? run : undefined;
  if (evaluation || training) return { folder, evaluation, training };
  throw new CheckpointError(
    run
      ? `${folder} has no metrics and has not been evaluated: there is nothing to compare; let it train for an iteration`
      : `${folder} holds no run (no config.json) and has not been evaluated (no results.json)`,
  );
}

function warningsOf({ folder, evaluation, training }: ComparedRun): string[] {
  const reached = training && training.metrics.last.iteration + 1;
  const evaluatedAt = evaluation?.iteration;
  if (reached === undefined || evaluatedAt === undefined || evaluatedAt >= reached) return [];
  return [`${folder} was evaluated at iteration ${evaluatedAt}, and has reached ${reached} since`];
}

/** The last parts of the paths; whole paths if several runs have the same last part. */
function runNames(runs: readonly string[]): string[] {
  const paths = runs.map((run) => run.replace(/\/+$/, ""));
  const names = paths.map((path) => path.split("/").at(-1)!);
  return names.map((name, i) => names.filter((other) => other === name).length > 1 ? paths[i]! : name);
}

/** A run's evaluation; undefined if it has none. */
async function readEvaluation(run: string, name: string): Promise<Evaluation | undefined> {
  for (const folder of [`${run}/evaluation`, run]) {
    const path = `${folder}/results.json`;
    const text = await readIfPresent(path, mostResultBytes);
    if (text === undefined) continue;
    const samples = await readIfPresent(`${folder}/best_by_class.png`, mostPictureBytes);
    try {
      const evaluation = evaluationOf(parseJson(new TextDecoder().decode(text), path));
      return { name, ...evaluation, ...(samples && { samples }) };
    } catch (error) {
      if (error instanceof FormatError) throw new CheckpointError(`${path}: ${error.message}`);
      throw error;
    }
  }
  return undefined;
}

if (import.meta.main) await execute(compare);
