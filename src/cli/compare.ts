import { parseArgs } from "node:util";
import { readIfPresent } from "../data/files.ts";
import { CheckpointError, FormatError } from "../errors.ts";
import { comparisonSection, type Evaluation } from "../report/comparison.ts";
import { evaluationOf, mostResultBytes } from "../report/evaluation_file.ts";
import { reportPage } from "../report/html.ts";
import { writeAtomically } from "../train/run/files.ts";
import { parseJson } from "../train/run/run_directory.ts";
import { type Command, execute, exitStatus, print, printError, UsageError } from "./command.ts";
import { table } from "./format.ts";
import { writeOnly } from "./permissions.ts";

const help = `
Put evaluated runs side by side, in one table and one report. Figures of different data, images, attacks or samples are
marked with ≠, and what differs is said.

Usage: deno task compare RUN RUN... [options]

  RUN                 a run directory that "deno task evaluate --model RUN" has evaluated, or a folder with its
                      results.json; runs whose names differ only in a trailing number, such as a seed, become one
                      column of means
  --out DIR           where report.html, results.json and the plots go (default: comparison)
  --debug             show the stack trace of an error
  --help              show this text

Examples:
  deno task compare runs/softmax runs/jem runs/sada-jem
  deno task compare runs/ablation/* --out docs/images/ablation
`;

/** Bytes of a picture of samples, which becomes a part of the report. */
const mostPictureBytes = 2 ** 24;

const options = { out: { type: "string", default: "comparison" }, debug: { type: "boolean" } } as const;

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
    await writeOnly({ folders: [values.out] });
    const names = runNames(positionals);
    const evaluations = await Promise.all(positionals.map((run, i) => readEvaluation(run, names[i]!)));
    const { section, files, results, comparison } = await comparisonSection(evaluations);
    await Deno.mkdir(values.out, { recursive: true });
    for (const [name, contents] of files) await writeAtomically(`${values.out}/${name}`, contents);
    const page = reportPage({
      title: "Comparison",
      subtitle: positionals.join(", "),
      key: [],
      sections: [section],
    });
    await writeAtomically(`${values.out}/report.html`, page);
    await writeAtomically(`${values.out}/results.json`, `${JSON.stringify(results, undefined, 2)}\n`);
    for (const warning of comparison.warnings) printError(`warning: ${warning}`);
    print(table([comparison.head, ...comparison.rows]));
    print(`wrote ${values.out}/report.html, results.json and plots`);
    return exitStatus.success;
  },
};

/** The last parts of the paths; whole paths where those of several runs are equal. */
function runNames(runs: readonly string[]): string[] {
  const paths = runs.map((run) => run.replace(/\/+$/, ""));
  const names = paths.map((path) => path.split("/").at(-1)!);
  return names.map((name, i) => names.filter((other) => other === name).length > 1 ? paths[i]! : name);
}

async function readEvaluation(run: string, name: string): Promise<Evaluation> {
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
  throw new CheckpointError(`${run} has not been evaluated: deno task evaluate --model ${run}`);
}

if (import.meta.main) await execute(compare);
