/** One process of a job: times what processes exchange, and rank 0 prints it as a line of JSON. */

import { asRank } from "../../src/distributed/as_rank.ts";
import type { Communicator } from "../../src/distributed/communicator.ts";
import { joinJob } from "../../src/distributed/job.ts";
import { print, printError } from "../../src/cli/command.ts";
import { median } from "./statistics.ts";

/** Milliseconds of calls that all processes begin together. */
export interface CallTimes {
  readonly name: string;
  /** Bytes that each process gives. */
  readonly bytes: number;
  readonly first: number;
  readonly median: number;
  readonly least: number;
}

/** The output of a job. */
export interface ExchangeTimes {
  readonly implementation: string;
  readonly processes: number;
  /** Logical processors of rank 0's machine. */
  readonly processors: number;
  /** Milliseconds that rank 0 took to join the job. */
  readonly join: number;
  readonly calls: readonly CallTimes[];
}

/** Trainable parameters of WRN-28-10. */
const parameters = 36_500_000;

/** Rounds of calls that move many bytes, and of calls that move few. */
const rounds = { many: 11, few: 200 };

async function timeCalls(
  communicator: Communicator,
  [name, bytes, rounds, call]: readonly [
    name: string,
    bytes: number,
    rounds: number,
    call: () => Promise<unknown>,
  ],
): Promise<CallTimes> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await communicator.barrier();
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return { name, bytes, first: times[0]!, median: median(times), least: Math.min(...times) };
}

const began = performance.now();
const communicator = joinJob();
const join = performance.now() - began;
await asRank(communicator, printError, async () => {
  const values = new Float32Array(parameters).fill(1);
  const bytes = new Uint8Array(values.buffer);
  const one = new Float32Array(1);
  const cases = [
    ["sum of the gradients", bytes.length, rounds.many, () => communicator.sum(values)],
    ["broadcast of the parameters", bytes.length, rounds.many, () => communicator.broadcast(bytes)],
    ["gather of as much", bytes.length, rounds.many, () => communicator.gather(bytes)],
    ["sum of one number", one.byteLength, rounds.few, () => communicator.sum(one)],
    ["barrier", 0, rounds.few, () => communicator.barrier()],
  ] as const;
  const calls: CallTimes[] = [];
  for (const one of cases) calls.push(await timeCalls(communicator, one));
  const { implementation, size: processes, rank } = communicator;
  const processors = navigator.hardwareConcurrency;
  const times: ExchangeTimes = { implementation, processes, processors, join, calls };
  if (rank === 0) print(JSON.stringify(times));
});
