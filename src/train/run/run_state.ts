import type { Sign } from "../recovery/health.ts";

/** What a run is doing, as far as its folder shows. */
export type RunState = "running" | "finished" | "stopped";

/**
 * The state of a run, judged by its metrics too: one that stopped where its last row shows a sign of divergence has
 * diverged.
 */
export function judged(state: RunState, sign: Sign | undefined): RunState | "diverged" {
  return state === "stopped" && sign ? "diverged" : state;
}
