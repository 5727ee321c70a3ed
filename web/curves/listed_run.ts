import type { RunStatus } from "../../src/train/run/run_view.ts";

/** A run as the server lists it. */
export interface ListedRun extends RunStatus {
  /** The name to ask for it by. */
  readonly name: string;
}
