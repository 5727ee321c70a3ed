/** One process of a job, for tests. Its arguments say what it does. */

import assert from "node:assert/strict";
import { asRank } from "../../src/distributed/as_rank.ts";
import { type Communicator, rankName } from "../../src/distributed/communicator.ts";
import { joinJob } from "../../src/distributed/job.ts";
import { SadaJemError } from "../../src/errors.ts";

/** The rank that fails. The others do not know about it. */
const failing = 1;

/** How long a rank waits for something that never happens, in milliseconds. */
const forever = 60_000;

const tasks: Readonly<Record<string, (communicator: Communicator) => Promise<void>>> = {
  nothing: () => Promise.resolve(),

  async collectives(communicator) {
    for (const length of [0, 1, 1000, 2 ** 20, 2 ** 20 + 1]) {
      await sums(communicator, new Float32Array(length));
      await sums(communicator, new Float64Array(length));
    }
    await sumsInTurn(communicator);
    for (const length of [0, 5, 2 ** 24 + 3]) await broadcasts(communicator, length);
    await gathers(communicator);
    await communicator.barrier();
  },

  async throw(communicator) {
    if (communicator.rank === failing) throw new SadaJemError("the disk is full");
    await communicator.barrier();
  },

  async broadcast_too_much(communicator) {
    await communicator.broadcast(new Uint8Array(communicator.rank === failing ? 100 : 1000));
  },

  async all_throw() {
    await Promise.reject(new SadaJemError("no such data set"));
  },

  async reject(communicator) {
    if (communicator.rank === failing) Promise.reject(new RangeError("nobody\ncatches this"));
    await communicator.sum(new Float32Array(3));
    await new Promise((resolve) => setTimeout(resolve, forever));
  },

  async timer(communicator) {
    if (communicator.rank === failing) {
      setTimeout(() => {
        throw new RangeError("nobody catches this");
      }, 100);
      // This rank waits inside a call, which it must be able to leave.
      await communicator.sum(new Float32Array(3));
    }
    await new Promise((resolve) => setTimeout(resolve, forever));
  },

  async abort(communicator) {
    if (communicator.rank === failing) communicator.abort(7);
    await communicator.barrier();
  },

  async exit(communicator) {
    if (communicator.rank === failing) Deno.exit(3);
    await communicator.barrier();
  },

  async kill(communicator) {
    if (communicator.rank === failing) Deno.kill(Deno.pid, "SIGKILL");
    await communicator.barrier();
  },

  async ffi_is_given_up() {
    assert.notEqual((await Deno.permissions.query({ name: "ffi" })).state, "granted");
  },

  async loop_lives(communicator) {
    let beats = 0;
    const timer = setInterval(() => beats++, 5);
    if (communicator.rank === 0) await new Promise((resolve) => setTimeout(resolve, 300));
    await communicator.barrier();
    clearInterval(timer);
    assert.ok(beats > 10, `${beats} beats`);
  },
};

/** Element i of rank r is i % 1000 + r, so that the sum is exact in float32. */
async function sums(
  communicator: Communicator,
  values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>,
): Promise<void> {
  const { rank, size } = communicator;
  for (let i = 0; i < values.length; i++) values[i] = i % 1000 + rank;
  await communicator.sum(values);
  const ofRanks = size * (size - 1) / 2;
  const wrong = values.findIndex((value, i) => value !== size * (i % 1000) + ofRanks);
  assert.equal(wrong, -1, `element ${wrong} of ${values.length}`);
}

/** A call that begins before the last one is over waits its turn. Parts of an array stay parts. */
async function sumsInTurn(communicator: Communicator): Promise<void> {
  const { rank, size } = communicator;
  const whole = Float64Array.from({ length: 100 }, (_, i) => i + 0.1);
  const parts = Array.from({ length: 10 }, (_, part) => whole.subarray(10 * part + 1, 10 * part + 10));
  for (const part of parts) part.fill(2 ** 40 + 2 ** -10 * rank);
  await Promise.all(parts.map((part) => communicator.sum(part)));
  const sum = size * 2 ** 40 + 2 ** -10 * size * (size - 1) / 2;
  assert.deepEqual([...whole], Array.from(whole, (_, i) => i % 10 === 0 ? i + 0.1 : sum));
}

async function broadcasts(communicator: Communicator, length: number): Promise<void> {
  for (const root of [0, communicator.size - 1]) {
    const bytes = new Uint8Array(length).fill(communicator.rank === root ? 7 + root : 1);
    await communicator.broadcast(bytes, root);
    holdsOnly(bytes, 7 + root);
  }
}

/** Rank r sends bytes of value r. */
async function gathers(communicator: Communicator): Promise<void> {
  const lengths = [3, 0, 2 ** 24 + 5, 1].slice(0, communicator.size);
  const { rank } = communicator;
  const all = await communicator.gather(new Uint8Array(lengths[rank]!).fill(rank));
  if (rank > 0) return assert.equal(all, undefined);
  assert.deepEqual(all!.map((bytes) => bytes.length), lengths);
  all!.forEach((bytes, from) => holdsOnly(bytes, from));
}

/** Looks at the first and the last thousand bytes, and at some in between. */
function holdsOnly(bytes: Uint8Array, value: number): void {
  const some = [bytes.subarray(0, 1000), bytes.subarray(-1000)].flatMap((part) => [...part]);
  for (let i = 0; i < bytes.length; i += 4093) some.push(bytes[i]!);
  assert.ok(some.every((byte) => byte === value), `${bytes.length} bytes of ${value}`);
}

const communicator = joinedOrEnded();
// deno-lint-ignore no-console -- the line is what the tests look for
const tell = (line: string) => console.error(line);
await asRank(communicator, tell, async () => {
  for (const task of Deno.args) await tasks[task]!(communicator);
  // deno-lint-ignore no-console -- the line is what the tests look for
  console.log(
    `${rankName(communicator)} of ${communicator.size} with ${communicator.implementation} is done`,
  );
});

/** The communicator. A refusal is printed the way the commands print it. */
function joinedOrEnded(): ReturnType<typeof joinJob> {
  try {
    return joinJob();
  } catch (error) {
    if (!(error instanceof SadaJemError)) throw error;
    // deno-lint-ignore no-console -- the line is what the tests look for
    console.error(`error: ${error.message}`);
    Deno.exit(1);
  }
}
