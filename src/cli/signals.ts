/** Signals: those that save and end a run, and the one that must not reach a command that outlives its terminal. */

import type { Heard, Watched } from "./signal_listener.ts";

/** Turns on {@link ignoreHangup}; `./run` adds it under `nohup`. */
export const hangupOption = "--ignore-hangup";

const isWindows = Deno.build.os === "windows";

/** Ctrl-C: the first one saves and ends a run, a second one ends the process at once. */
const keyboard: readonly Deno.Signal[] = isWindows ? ["SIGINT", "SIGBREAK"] : ["SIGINT"];
/**
 * Announcements of the end: by `kill`, a container or a cluster (SIGTERM), by a closed terminal or a lost connection
 * (SIGHUP), before a job's time is up (SIGUSR2), and by a limit of CPU time (SIGXCPU). Not SIGUSR1, at which Deno opens
 * its debugger regardless of listeners.
 */
const announced: readonly Deno.Signal[] = isWindows ? [] : ["SIGTERM", "SIGHUP", "SIGUSR2", "SIGXCPU"];

let hangupIgnored = false;

/** Lets the process continue when its terminal is closed. Deno resets the ignored SIGHUP of `nohup`. */
export function ignoreHangup(): void {
  hangupIgnored = true;
  if (!isWindows) Deno.addSignalListener("SIGHUP", () => {});
}

/**
 * Listens for the signals that end a run, even while this thread waits for the GPU. Resolves once it listens.
 * @param tell takes a line about the first one
 * @returns a signal that aborts at the first one
 */
export async function interruption(tell: (line: string) => void): Promise<AbortSignal> {
  const controller = new AbortController();
  const listener = new Worker(new URL("./signal_listener.ts", import.meta.url), { type: "module" });
  const signals = [...keyboard, ...announced].filter((signal) => signal !== "SIGHUP" || !hangupIgnored);
  await new Promise<void>((resolve) => {
    listener.addEventListener("message", ({ data: heard }: MessageEvent<Heard>) => {
      if (heard === "listening") return resolve();
      controller.abort();
      tell(`${heard}: stopping after this iteration and saving; Ctrl-C ends at once`);
    });
    listener.postMessage({ signals, fatalAgain: keyboard } satisfies Watched);
  });
  return controller.signal;
}
