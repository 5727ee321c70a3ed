/// <reference lib="dom" />
/** A run whose metrics the page follows. */

import { type CurveName, MetricsReader } from "../../src/train/run/metrics_reader.ts";
import type { CurvePoint } from "../../src/train/run/thinned_curve.ts";
import type { ListedRun } from "./listed_run.ts";
import type { ShownRun } from "./view.ts";

/** A run in the server's list. While it is shown, its curves are kept up to date. */
export class FollowedRun implements ShownRun {
  /** Which of the colours it has; undefined while it is not shown. */
  slot: number | undefined;
  #listed: ListedRun;
  #reader: MetricsReader;
  #at = { next: 0, mark: "" };
  #unfinished = 0;
  /** The state of the file that has been read. */
  #read = "";

  constructor(listed: ListedRun) {
    this.#listed = listed;
    this.#reader = this.#newReader();
  }

  get name(): string {
    return this.#listed.name;
  }

  get colour(): number {
    return this.slot ?? 0;
  }

  get listed(): ListedRun {
    return this.#listed;
  }

  get reader(): MetricsReader {
    return this.#reader;
  }

  /** Whether the last line has no end, and will not get one. */
  get isCutOff(): boolean {
    return this.#unfinished > 0 && this.#listed.state !== "running";
  }

  curve(name: CurveName): CurvePoint[] {
    return this.#reader.curve(name);
  }

  /** Takes the server's current description of the run. */
  update(listed: ListedRun): void {
    const { imagesPerIteration, classes } = this.#listed;
    this.#listed = listed;
    if (imagesPerIteration !== listed.imagesPerIteration || classes !== listed.classes) this.forget();
  }

  /** Drops the curves. */
  forget(): void {
    this.#reader = this.#newReader();
    this.#at = { next: 0, mark: "" };
    this.#read = "";
  }

  /**
   * Reads what has been written since the last time.
   * @param onPiece called after each part of it
   * @returns whether there was anything
   */
  async follow(onPiece: () => void): Promise<boolean> {
    const state = JSON.stringify(this.#listed.metrics);
    if (state === this.#read) return false;
    while (await this.#fetchPiece()) onPiece();
    this.#read = state;
    return true;
  }

  /** @returns whether there is more */
  async #fetchPiece(): Promise<boolean> {
    const { next, mark } = this.#at;
    const query = new URLSearchParams({ run: this.name, from: String(next), mark });
    const response = await fetch(`metrics.jsonl?${query}`);
    if (!response.ok) throw new Error(await response.text());
    const header = (name: string) => response.headers.get(`metrics-${name}`) ?? "";
    const text = await response.text();
    // The file has been replaced: a training went back, or continued from a checkpoint.
    if (Number(header("from")) !== next) this.#reader = this.#newReader();
    this.#reader.push(text);
    this.#at = { next: Number(header("next")), mark: header("mark") };
    this.#unfinished = Number(header("unfinished"));
    return header("more") === "true";
  }

  #newReader(): MetricsReader {
    const { imagesPerIteration, classes } = this.#listed;
    return new MetricsReader({
      imagesPerIteration: imagesPerIteration ?? undefined,
      classes: classes ?? undefined,
    });
  }
}
