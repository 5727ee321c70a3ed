/**
 * A worker that listens for signals, because the main thread does not while it waits for the GPU, and some drivers
 * compile for minutes.
 */

/** The message to a listener: the signals to report, and those that end the process when they come again. */
export interface Watched {
  readonly signals: readonly Deno.Signal[];
  readonly fatalAgain: readonly Deno.Signal[];
}

/** The listener's message: that it listens, or the first signal. */
export type Heard = "listening" | Deno.Signal;

/**
 * A signal that comes again within this many milliseconds is still the same one. Ctrl-C reaches a command under `deno
 * task` twice, from the terminal and from the task.
 */
const sameSignal = 200;

const main = self as unknown as {
  postMessage(message: Heard): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Watched>) => void): void;
};

main.addEventListener("message", ({ data: { signals, fatalAgain } }) => {
  const listeners = new Map<Deno.Signal, () => void>();
  let first = true;
  const hear = (signal: Deno.Signal) => {
    if (!first) return;
    first = false;
    main.postMessage(signal);
    // Without a listener, a signal has its default effect: it ends the process, whatever the main thread waits for.
    setTimeout(() => {
      for (const again of fatalAgain) Deno.removeSignalListener(again, listeners.get(again)!);
    }, sameSignal);
  };
  for (const signal of signals) {
    const listener = () => hear(signal);
    listeners.set(signal, listener);
    Deno.addSignalListener(signal, listener);
  }
  main.postMessage("listening");
});
