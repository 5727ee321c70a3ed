/**
 * Runs a command on several ranks in one process: `command_ranks.ts RANKS sample|evaluate [options]`. Ends with the
 * exit status of rank 0, or an error's line and status 1.
 */

import { evaluateCommand } from "../../src/cli/evaluate.ts";
import { sampleCommand } from "../../src/cli/sample.ts";
import { processesInOne } from "./processes_in_one.ts";

const [ranks = "", name = "", ...args] = Deno.args;
const make = { sample: sampleCommand, evaluate: evaluateCommand }[name]!;
const statuses = await Promise.all(processesInOne(Number(ranks)).map((rank) => make(rank).run(args)));
Deno.exit(statuses[0]);
