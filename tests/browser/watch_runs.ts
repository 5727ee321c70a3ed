/** Run directories for the tests of the page that watches training runs. */

import { encodePng } from "../../src/formats/pictures/png.ts";
import { writeAtomically } from "../../src/train/run/files.ts";

/** A row of `metrics.jsonl` with its newline. */
export function row(iteration: number, more: Readonly<Record<string, unknown>> = {}): string {
  const seconds = (iteration + 1) / 2;
  const values = {
    loss: 2 / (iteration + 1),
    crossEntropy: 1 / (iteration + 1),
    accuracy: 0.5,
    gradientNorm: 1,
  };
  const scores = { realScore: 2, generatedScore: 1 };
  return `${JSON.stringify({ iteration, seconds, learningRate: 0.1, ...values, ...scores, ...more })}\n`;
}

export function rows(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => row(from + i)).join("");
}

/** A run directory, written the way training writes it. */
export class TestRun {
  constructor(readonly folder: string) {}

  /** Begins a run of 100 iterations, held by a process. */
  async begin(text = ""): Promise<this> {
    await Deno.mkdir(`${this.folder}/samples`, { recursive: true });
    await Deno.writeTextFile(`${this.folder}/lock`, '{"process":1,"since":"2026-01-01T00:00:00Z"}\n');
    await Deno.writeTextFile(`${this.folder}/data.json`, '{"classes":10}');
    await this.append(text);
    const batches = { labelledBatch: 8, likelihoodBatch: 8, likelihoodWeight: 1 };
    const configuration = { dataset: "digits", depth: 10, width: 1, iterations: 100, ...batches };
    await writeAtomically(`${this.folder}/config.json`, JSON.stringify(configuration));
    return this;
  }

  async append(text: string): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/metrics.jsonl`, text, { append: true });
  }

  /** Replaces the rows, as a run that goes back does. */
  async replace(text: string): Promise<void> {
    await writeAtomically(`${this.folder}/metrics.jsonl`, text);
  }

  async picture(iteration: number, grey: number): Promise<void> {
    const png = encodePng({ width: 8, height: 8, channels: 1, data: new Uint8Array(64).fill(grey) });
    await writeAtomically(`${this.folder}/samples/${String(iteration).padStart(8, "0")}.png`, png);
  }

  /** Ends the process that holds the run. */
  async release(summary?: Readonly<Record<string, unknown>>): Promise<void> {
    if (summary) await writeAtomically(`${this.folder}/summary.json`, JSON.stringify(summary));
    await Deno.truncate(`${this.folder}/lock`);
  }
}
