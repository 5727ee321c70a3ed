import assert from "node:assert/strict";
import { answerCalls, Remote } from "../../web/worker/remote.ts";

type Calls = {
  double: { input: number; progress: never; result: number };
  count: { input: number; progress: number; result: number };
  fail: { input: string; progress: never; result: void };
};

Deno.test("calls across a channel: results, progress, errors and cancellation", async () => {
  const { port1, port2 } = new MessageChannel();
  answerCalls<Calls>(port2, {
    double: (value) => 2 * value,
    count: async (limit, report, signal) => {
      let count = 0;
      for (; count < limit && !signal.aborted; count++) {
        report(count);
        await new Promise((resolve) => setTimeout(resolve));
      }
      return count;
    },
    fail: (message) => {
      throw new RangeError(message);
    },
  });
  const remote = new Remote<Calls>(port1);
  port1.start();
  port2.start();

  assert.deepEqual(await Promise.all([1, 2, 3].map((value) => remote.call("double", value))), [2, 4, 6]);
  const seen: number[] = [];
  assert.equal(await remote.call("count", 3, { onProgress: (count) => seen.push(count) }), 3);
  assert.deepEqual(seen, [0, 1, 2]);

  const controller = new AbortController();
  const onProgress = (count: number) => {
    if (count === 2) controller.abort();
  };
  const counted = await remote.call("count", 1e9, { onProgress, signal: controller.signal });
  assert.ok(counted >= 3 && counted < 1e9);
  await assert.rejects(remote.call("fail", "out of range"), { name: "RangeError", message: "out of range" });
  port1.close();
  port2.close();
});
