import assert from "node:assert/strict";
import { SubmissionSizes } from "../../src/gpu/submission_sizes.ts";

/** Sizes that have learned from one wait for `commands` commands that took `milliseconds`. */
function after(commands: number, milliseconds: number): SubmissionSizes {
  let time = 0;
  const sizes = new SubmissionSizes(() => time);
  sizes.submitted(commands);
  time = milliseconds;
  sizes.waited();
  return sizes;
}

Deno.test("SubmissionSizes cuts a plan into three on a fast device", () => {
  for (const sizes of [new SubmissionSizes(), after(3000, 100)]) {
    assert.deepEqual([100, 768, 3000].map((commands) => sizes.of(commands)), [256, 256, 1000]);
  }
});

Deno.test("SubmissionSizes keeps each submission to a second on a slow device", () => {
  // 10 s for 1000 commands are 10 ms for each.
  assert.deepEqual([1000, 100_000].map((commands) => after(1000, 10_000).of(commands)), [100, 100]);
  assert.equal(after(100, 1e6).of(100), 1);
  // A wait for few commands may end long after they did, so it says nothing.
  assert.equal(after(1, 1e6).of(3000), 1000);
});

Deno.test("SubmissionSizes begins with short submissions, and never makes one of very many commands", () => {
  const sizes = new SubmissionSizes();
  const plan = {};
  assert.deepEqual([sizes.isUntried(plan), sizes.isUntried(plan), sizes.isUntried({})], [true, false, true]);
  assert.equal(sizes.of(3000, true), 64);
  assert.equal(sizes.of(1e6), 2 ** 14);
});

Deno.test("SubmissionSizes has the host wait when it is far ahead", () => {
  const sizes = new SubmissionSizes();
  sizes.submitted(2 ** 15 - 1);
  assert.equal(sizes.isAhead, false);
  sizes.submitted(1);
  assert.equal(sizes.isAhead, true);
  sizes.waited();
  assert.equal(sizes.isAhead, false);
});
