/** The output of the training command: at the start, during training, and at the end. */

import { intervalText, percent, percentWithin } from "../../evaluate/percent.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Configuration } from "../../train/configuration.ts";
import type { Attempt } from "../../train/recovery/recovery.ts";
import type { Taken } from "../../train/origin.ts";
import type { Trainer } from "../../train/trainer.ts";
import type { TestResult } from "../../train/test_result.ts";
import type { Progress, RunListener } from "../../train/run_listener.ts";
import type { Summary } from "../../train/training_run.ts";
import { print } from "../command.ts";
import { duration, firstOf } from "../format.ts";
import type { LiveLine } from "../live_line.ts";
import type { Beginning } from "./origin.ts";

/** Shows the progress of a run. */
export class TrainingLine implements RunListener {
  /** The last iteration that was reported. */
  reached = 0;
  #testAccuracy: number | undefined;

  constructor(readonly line: LiveLine) {}

  filling(made: number, total: number): void {
    this.line.update(`filling the replay buffer: ${made}/${total}`);
  }

  progress(progress: Progress): void {
    const { report, iterations, imagesPerSecond, secondsLeft, exchangeShare, leaningSince } = progress;
    this.reached = Math.max(this.reached, report.iteration);
    const { loss, crossEntropy, realScore, generatedScore, accuracy } = report;
    const parts = [
      { rank: 5, text: "iteration", isLabel: true },
      { rank: 0, text: `${report.iteration + 1}/${iterations}` },
      { rank: 8, text: `${imagesPerSecond.toFixed(0)} images/s` },
      { rank: 10, text: exchangeShare === undefined ? "" : `exchange ${percent(exchangeShare)}` },
      { rank: 1, text: `${duration(secondsLeft)} left` },
      { rank: 2, text: `loss ${loss.toFixed(3)}` },
      { rank: 7, text: Number.isNaN(crossEntropy) ? "" : `CE ${crossEntropy.toFixed(3)}` },
      { rank: 9, text: Number.isNaN(realScore) ? "" : energies(realScore, generatedScore) },
      { rank: 3, text: Number.isNaN(accuracy) ? "" : `accuracy ${percent(accuracy)}` },
      { rank: 6, text: leaningSince === undefined ? "" : `leaning since ${leaningSince}` },
      { rank: 4, text: this.#testAccuracy === undefined ? "" : `test ${percent(this.#testAccuracy)}` },
    ];
    this.line.update(parts.filter(({ text }) => text !== ""));
  }

  recovering({ iteration, seen, from }: Attempt): void {
    this.line.note(
      `iteration ${iteration}: ${seen}: going back to iteration ${from}, with other random numbers and a lower learning rate`,
    );
  }

  note(line: string): void {
    this.line.note(line);
  }

  tested(iteration: number, result: TestResult, set: string): void {
    const { testAccuracy, testAccuracyInterval, testLoss, ece } = result;
    this.#testAccuracy = testAccuracy;
    this.line.note(
      `iteration ${iteration}: ${set} accuracy ${percentWithin(testAccuracy, testAccuracyInterval)}, loss ${
        testLoss.toFixed(4)
      }, ECE ${percent(ece)}`,
    );
  }
}

/** One line about what a run has taken over from a file, and another about what it has not. */
export function takenLine(
  { origin, dataset }: Configuration,
  { model: { images: { classNames, unnamed } }, leftAlone }: Beginning,
  { statistics, replay, newHead }: Taken,
): string {
  const head = newHead === undefined
    ? `head of ${classNames.length} classes`
    : `new head, because ${newHead}`;
  const parts = [
    statistics ? "parameters and running statistics" : "parameters",
    typeof replay === "number" ? `replay buffer of ${replay.toLocaleString("en")} images` : replay,
    head + (unnamed && newHead === undefined ? `, taken as those of ${dataset} in its order` : ""),
  ];
  const line = `from ${origin!.path}: ${parts.join("; ")}`;
  return leftAlone.length > 0 ? `${line}\nleft alone in it: ${firstOf(leftAlone)}` : line;
}

function energies(realScore: number, generatedScore: number): string {
  return `E(real) ${(-realScore).toFixed(2)}  E(generated) ${(-generatedScore).toFixed(2)}`;
}

/** A run in one line: its model, method, data and adapter. */
export function headline(gpu: Gpu, { model }: Trainer, configuration: Configuration, images: number): string {
  const { depth, width, dataset, rho, steps, likelihoodWeight, activations } = configuration;
  const parameters = model.parameters.all
    .reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0);
  const storage = activations === "float32" ? "" : `${activations} activations, `;
  const method = likelihoodWeight > 0 ? `K = ${steps}, ρ = ${rho}` : `no likelihood, ρ = ${rho}`;
  return `WRN-${depth}-${width} (${parameters.toLocaleString("en")} parameters), ${method}, on ${dataset} ` +
    `(${images.toLocaleString("en")} images), ${storage}with ${gpu.adapterName}`;
}

/** Prints the results of a finished run, and where its files are. */
export function printSummary(summary: Summary, path: string): void {
  const { processes } = summary;
  const together = processes
    ? `, by ${processes.count} processes, ${percent(processes.exchangeShare)} of the time in exchanges`
    : "";
  print(`${summary.iterations} iterations in ${duration(summary.seconds)} on ${summary.adapter}${together}`);
  const { testAccuracy, testAccuracyInterval, testImages } = summary;
  print(
    `test accuracy              ${percent(testAccuracy)} (95 %: ${
      intervalText(testAccuracyInterval)
    }, n = ${testImages})`,
  );
  print(`test cross-entropy         ${summary.testLoss.toFixed(4)}`);
  print(`expected calibration error ${percent(summary.ece)}`);
  print(`model                      ${path}/model.safetensors`);
  const { recoveries } = summary;
  if (recoveries.length > 0) {
    const times = recoveries.map(({ iteration, from }) => `at ${iteration} to ${from}`).join(", ");
    print(`went back                  ${times}`);
  }
  if (summary.best) {
    const { accuracy, iteration } = summary.best;
    print(
      `best by validation         ${path}/best.safetensors (${percent(accuracy)} at iteration ${iteration})`,
    );
  }
  print(`curves                     ${path}/curves.html`);
  print(`samples                    ${path}/samples/`);
  print(`metrics, summary           ${path}/metrics.jsonl, ${path}/summary.json`);
  print(`generate: ./run sample --model ${path}`);
}
