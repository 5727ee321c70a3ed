/**
 * Runs a command on several ranks in one process: `command_ranks.ts RANKS sample|evaluate [options]`. Exits with the
 * status of rank 0, or with an error's line and status.
 */

import { evaluateCommand } from "../../src/cli/evaluate.ts";
import { type Command, execute } from "../../src/cli/command.ts";
import { sampleCommand } from "../../src/cli/sample.ts";
import { processesInOne } from "./processes_in_one.ts";

const command: Command = {
  help: "",
  async run([ranks, name, ...args]) {
    const make = name === "sample" ? sampleCommand : evaluateCommand;
    const statuses = await Promise.all(processesInOne(Number(ranks)).map((rank) => make(rank).run(args)));
    return statuses[0]!;
  },
};

await execute(command);
