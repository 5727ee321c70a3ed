/** Communicators without MPI: one process, and several ranks in one process. */

import assert from "node:assert/strict";
import { asRank } from "../../src/distributed/as_rank.ts";
import { type Communicator, oneProcess, rankName } from "../../src/distributed/communicator.ts";
import { JobError, SadaJemError } from "../../src/errors.ts";
import { processesInOne } from "./processes_in_one.ts";

/** Runs the same work on all ranks. */
function onAll<Result>(
  size: number,
  work: (communicator: Communicator) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(processesInOne(size).map(work));
}

for (const [name, job] of [["one process", [oneProcess]], ["three in one", processesInOne(3)]] as const) {
  Deno.test(`${name}: sums, broadcasts and gathers`, async () => {
    const size = job.length;
    await Promise.all(job.map(async (communicator, rank) => {
      assert.deepEqual([communicator.rank, communicator.size], [rank, size]);
      for (const type of [Float32Array, Float64Array]) {
        const values = type.of(rank + 0.5, -rank);
        await communicator.sum(values);
        const ofRanks = size * (size - 1) / 2;
        assert.deepEqual(values, type.of(ofRanks + 0.5 * size, -ofRanks));
        await communicator.sum(new type(0));
      }
      const bytes = Uint8Array.of(rank, 7);
      await communicator.broadcast(bytes, size - 1);
      assert.deepEqual(bytes, Uint8Array.of(size - 1, 7));
      const all = await communicator.gather(new Uint8Array(rank).fill(rank));
      const given = Array.from({ length: size }, (_, from) => new Uint8Array(from).fill(from));
      assert.deepEqual(all, rank === 0 ? given : undefined);
      await communicator.barrier();
      communicator.close();
    }));
  });
}

Deno.test("several in one: a sum is taken in the type of its values, in the order of the ranks", async () => {
  const terms = [2 ** 24, 1, 1];
  const sums = await onAll(3, async (communicator) => {
    const single = Float32Array.of(terms[communicator.rank]!);
    const double = Float64Array.from(single);
    // Both start at once, but the calls of one rank take turns.
    await Promise.all([communicator.sum(single), communicator.sum(double)]);
    return [single[0], double[0]];
  });
  assert.deepEqual(sums, Array.from(terms, () => [2 ** 24, 2 ** 24 + 2]));
});

Deno.test("several in one: ranks that call different things are told so", async () => {
  const ended = await Promise.allSettled(
    processesInOne(2).map((communicator) => communicator.sum(new Float32Array(communicator.rank + 3))),
  );
  for (const end of ended) {
    assert.match(
      String(end.status === "rejected" && end.reason),
      /rank 0 calls sum\(Float32Array of 3\), but rank 1 sum\(Float32Array of 4\)/,
    );
  }
});

Deno.test("several in one: an abort ends the calls that wait and those to come", async () => {
  const [first, second] = processesInOne(2) as [Communicator, Communicator];
  const waiting = first.barrier();
  assert.throws(() => second.abort(3), JobError);
  const aborted = { name: "JobError", message: "rank 1 aborted the job with status 3" };
  await assert.rejects(waiting, aborted);
  await assert.rejects(first.gather(new Uint8Array(1)), aborted);
});

Deno.test("a rank's work ends by leaving the job, or by one line and an abort", async () => {
  const [communicator] = processesInOne(2) as [Communicator, Communicator];
  const told: string[] = [];
  const tell = (line: string, error: unknown) => void told.push(line, String(error));
  await assert.rejects(
    asRank(communicator, tell, () => Promise.reject(new SadaJemError("the disk is full"))),
    { message: "rank 0 aborted the job with status 1" },
  );
  assert.deepEqual(told, ["rank 0 on localhost: the disk is full", "SadaJemError: the disk is full"]);

  const [left] = processesInOne(2) as [Communicator, Communicator];
  assert.equal(await asRank(left, tell, () => Promise.resolve(5)), 5);
  await assert.rejects(left.barrier(), /after it was closed/);
});

Deno.test("an error that nothing catches ends a rank's work", async () => {
  const [communicator] = processesInOne(2) as [Communicator, Communicator];
  const told: string[] = [];
  const work = () => {
    Promise.reject(new RangeError("nobody\n  catches this"));
    return communicator.barrier();
  };
  await assert.rejects(asRank(communicator, (line) => void told.push(line), work), JobError);
  assert.deepEqual(told, ["rank 0 on localhost: RangeError: nobody catches this"]);
});

Deno.test("one process throws what its work throws, and tells nothing", async () => {
  const work = () => Promise.reject(new SadaJemError("the disk is full"));
  await assert.rejects(asRank(oneProcess, () => assert.fail(), work), { message: "the disk is full" });
  assert.equal(rankName(oneProcess), "rank 0 on localhost");
});
