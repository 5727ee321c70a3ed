/** The answers of the server that shows trainings. */

import type { RunView } from "../../src/train/run/run_view.ts";
import type { ListedRun } from "../curves/listed_run.ts";
import { answer, Answers, type PageAnswer, type PageFiles } from "./answer.ts";
import type { Answerer } from "./server.ts";
import type { WatchedRuns } from "./watched_runs.ts";

/**
 * Answers requests for the page's files and for what the runs have written: `/runs.json`, `/metrics.jsonl?run=…&from=…&mark=…`
 * and `/picture.png?run=…&iteration=…`. A run is known by its name in the list; no request names a path.
 */
export function watchAnswerer(files: PageFiles, runs: WatchedRuns): Answerer {
  const answers = new Answers(files);
  return async (request, port) => {
    const refused = answers.refusal(request, port);
    if (refused) return refused;
    const [name = "", query = ""] = request.target.slice(1).split("?", 2);
    if (name === "runs.json") return answers.found(name, json(await listed(await runs())));
    if (name !== "metrics.jsonl" && name !== "picture.png") return answer(files, request, port);
    const parameters = new URLSearchParams(query);
    const run = (await runs()).get(parameters.get("run") ?? "");
    if (!run) return answers.refuse(404, "no such run");
    return name === "metrics.jsonl"
      ? await metrics(answers, run, parameters)
      : await picture(answers, run, parameters);
  };
}

async function metrics(answers: Answers, run: RunView, parameters: URLSearchParams): Promise<PageAnswer> {
  const from = wholeNumber(parameters.get("from") ?? "0");
  if (from === undefined) return answers.refuse(400, "from must be a whole number");
  const piece = await run.metrics(from, parameters.get("mark") ?? "");
  return answers.found("metrics.jsonl", piece.bytes, {
    "metrics-from": `${piece.from}`,
    "metrics-next": `${piece.next}`,
    "metrics-mark": piece.mark,
    "metrics-unfinished": `${piece.unfinished}`,
    "metrics-more": `${piece.more}`,
  });
}

async function picture(answers: Answers, run: RunView, parameters: URLSearchParams): Promise<PageAnswer> {
  const iteration = wholeNumber(parameters.get("iteration") ?? "");
  const png = iteration === undefined ? undefined : await run.picture(iteration);
  return png ? answers.found("picture.png", png) : answers.refuse(404, "no such picture");
}

async function listed(runs: ReadonlyMap<string, RunView>): Promise<ListedRun[]> {
  return await Promise.all([...runs].map(async ([name, run]) => ({ name, ...await run.status() })));
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
