import assert from "node:assert/strict";
import { callsPerWait, timing } from "../../bench/lib/timing.ts";

/** Milliseconds per call if a call takes `duration` and all calls share one wait, whose end is noticed late. */
const withWait = (duration: number) => (calls: number) => Promise.resolve(duration + 11 / calls);

Deno.test("a wait counts little beside the calls before it", async () => {
  for (const duration of [0.3, 1.7, 20, 130]) {
    const time = withWait(duration);
    const measured = await time(await callsPerWait(time));
    assert(measured < 1.05 * duration, `${measured} instead of ${duration} ms`);
  }
});

Deno.test("a call that takes long is timed alone, and not more calls than allowed are timed", async () => {
  assert.equal(await callsPerWait(withWait(timing.longEnough)), 1);
  assert.equal(await callsPerWait(withWait(0.001), 50), 32);
});
