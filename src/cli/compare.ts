import { parseArgs } from "node:util";
import { CheckpointError } from "../errors.ts";
import { comparisonSection, comparisonTable, type Evaluation } from "../report/comparison.ts";
import { reportPage } from "../report/html.ts";
import { writeAtomically } from "../train/files.ts";
import { parseJson } from "../train/run_directory.ts";
import { type Command, execute, exitStatus, print, UsageError } from "./command.ts";
import { table } from "./format.ts";

const help = `
Put evaluated runs side by side, in one table and one report.

Usage: deno task compare RUN RUN... [options]

  RUN                 a run directory that "deno task evaluate --model RUN" has evaluated, or a folder with its results.json;
                      runs whose names differ only in a trailing number, such as a seed, become one column of means
  --out DIR           where report.html, results.json and the plots go (default: comparison)
  --debug             show the stack trace of an error
  --help              show this text

Examples:
  deno task compare runs/softmax runs/jem runs/sada-jem
  deno task compare runs/ablation/* --out docs/images/ablation
`;

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
    const evaluations = await Promise.all(positionals.map(readEvaluation));
    const { head, rows } = comparisonTable(evaluations);
    const { section, files, results } = await comparisonSection(evaluations);
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
    print(table([head, ...rows]));
    print(`wrote ${values.out}/report.html, results.json and plots`);
    return exitStatus.success;
  },
};

async function readEvaluation(run: string): Promise<Evaluation> {
  const name = run.replace(/\/+$/, "").split("/").at(-1)!;
  for (const path of [`${run}/evaluation/results.json`, `${run}/results.json`]) {
    const text = await Deno.readTextFile(path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (text === undefined) continue;
    const value = parseJson(text, path) as { results?: Evaluation["results"] } | null;
    if (typeof value?.results === "object") return { name, results: value.results };
    throw new CheckpointError(`${path} holds no results of an evaluation`);
  }
  throw new CheckpointError(`${run} has not been evaluated: deno task evaluate --model ${run}`);
}

if (import.meta.main) await execute(compare);
