/** `./run fuzz`: damaged files for all readers, and random configurations, for as long as wanted. */

import process from "node:process";
import { parseArgs } from "node:util";
import {
  type Command,
  execute,
  exitStatus,
  positiveNumber,
  print,
  UsageError,
  wholeNumber,
} from "../src/cli/command.ts";
import { loadDataset } from "../src/data/load.ts";
import { Gpu } from "../src/gpu/gpu.ts";
import { trainRandom } from "../tests/fuzz/configurations.ts";
import { cases, readDamaged } from "../tests/fuzz/readers.ts";

/** Files of each format in a round. A round takes some seconds. */
const filesInRound = 200;
/** Most memory that the readers of small files may take, whatever the files contain. */
const mostBytes = 2 ** 30;

const options = {
  minutes: { type: "string", default: "1" },
  seed: { type: "string", default: "1" },
  "readers-only": { type: "boolean" },
  debug: { type: "boolean" },
} as const;

const command: Command = {
  help: `
Damage files of every format and read them, and train random valid configurations for two iterations each. What is wrong
ends it, with the seed that shows it again. Tens of thousands of files a minute: an hour reads some millions.

Usage: ./run fuzz [options]

  --minutes N      how long (default: ${options.minutes.default})
  --seed N         the first seed; each round has the next (default: ${options.seed.default})
  --readers-only   files alone, no configurations
  --debug          show the stack trace of an error
  --help           show this text
`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options, strict: true });
    const seconds = 60 * positiveNumber("--minutes", values.minutes)!;
    const first = wholeNumber("--seed", values.seed)!;
    if (first > 2 ** 31) throw new UsageError(`--seed takes a number up to ${2 ** 31}`);
    const trained = values["readers-only"] ? undefined : await configurations();
    const end = performance.now() + 1000 * seconds;
    let [files, runs] = [0, 0];
    for (let seed = first; performance.now() < end; seed++) {
      try {
        if (trained) runs += await trained(seed);
        files += await readRound(seed, end);
      } catch (error) {
        print(`seed ${seed}: ${error instanceof Error ? error.message : error}`);
        print(`again: ./run fuzz --seed ${seed}`);
        return exitStatus.failure;
      }
    }
    print(`${files} damaged files read or refused, ${runs} configurations trained, nothing wrong`);
    return exitStatus.success;
  },
};

/** Reads some damaged files of each format. */
async function readRound(seed: number, end: number): Promise<number> {
  let files = 0;
  for (const [name, own] of Object.entries(cases)) {
    if (performance.now() > end) break;
    await readDamaged(own, { runs: filesInRound, seed });
    files += filesInRound;
    const peak = process.resourceUsage().maxRSS * 1024;
    if (peak > mostBytes) throw new Error(`${name}: the process has taken ${Math.round(peak / 2 ** 20)} MiB`);
  }
  return files;
}

/** Trains one random configuration. Without an adapter there is nothing to train on. */
async function configurations(): Promise<(seed: number) => Promise<number>> {
  const gpu = await Gpu.request();
  const digits = await loadDataset({ name: "digits" });
  return async (seed) => {
    await trainRandom(gpu, digits, { runs: 1, seed });
    return 1;
  };
}

await execute(command);
