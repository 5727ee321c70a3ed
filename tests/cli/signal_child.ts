/**
 * A command that listens for signals as a training run does. `blocked` keeps its thread busy, as a wait for the GPU
 * does. Otherwise it waits for a signal, and two seconds later it says that it has saved. `plain` does not listen.
 */

import { type Command, execute, exitStatus, print } from "../../src/cli/command.ts";
import { interruption } from "../../src/cli/signals.ts";

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, 1000 * count));

const child: Command = {
  help: "",
  async run([what]) {
    if (what === "plain") {
      print("listening");
      await seconds(4);
      print("done");
      return exitStatus.success;
    }
    const signal = await interruption(print);
    print("listening");
    const end = performance.now() + 60_000;
    if (what === "blocked") { while (performance.now() < end); }
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await seconds(2);
    print("saved");
    return exitStatus.interrupted;
  },
};

await execute(child);
