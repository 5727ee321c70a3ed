/** A command that shows its progress for three seconds and then leaves a file. */

import { type Command, execute, exitStatus, print } from "../../src/cli/command.ts";
import { LiveLine } from "../../src/cli/live_line.ts";

const child: Command = {
  help: "",
  async run([file]) {
    const line = new LiveLine();
    for (let i = 0; i < 30; i++) {
      line.update(`step-${i}-${"x".repeat(100)}`);
      if (i % 10 === 9) line.note("note");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    line.finish();
    print("end");
    await Deno.writeTextFile(file!, "whole");
    return exitStatus.success;
  },
};

await execute(child);
