import assert from "node:assert/strict";
import { Watchdog } from "../../src/gpu/watchdog.ts";

const never = () => new Promise<boolean>(() => {});
const after = (milliseconds: number) => () =>
  new Promise<boolean>((resolve) => setTimeout(() => resolve(true), milliseconds));
const usual = { dispatches: 10, compiles: false };

Deno.test("Watchdog: a wait may take ten times the longest before it, more for more work or for compiling", async () => {
  const watchdog = new Watchdog();
  assert.equal(watchdog.limit(usual), 30_000);
  assert.equal(watchdog.limit({ ...usual, compiles: true }), 1_800_000);
  watchdog.shortest = 1;
  watchdog.shortestCompiling = 1e6;
  assert.equal(await watchdog.watch(after(50), { dispatches: 10, compiles: true }), true);
  const limit = watchdog.limit(usual);
  assert(limit >= 490 && limit < 5000, String(limit));
  assert.equal(watchdog.limit({ dispatches: 5, compiles: false }), limit);
  assert.equal(watchdog.limit({ dispatches: 30, compiles: false }), 3 * limit);
});

Deno.test("Watchdog: a wait that does not end is given up", async () => {
  const watchdog = new Watchdog();
  watchdog.shortest = 100;
  assert.equal(await watchdog.watch(never, usual), undefined);
});

Deno.test("Watchdog: a thread that was held up is not taken for a GPU that does not answer", async () => {
  const watchdog = new Watchdog();
  watchdog.shortest = 300;
  const heldUp = async () => {
    const end = performance.now() + 1000;
    await Promise.resolve();
    while (performance.now() < end);
    return await after(50)();
  };
  assert.equal(await watchdog.watch(heldUp, usual), true);
});

Deno.test("Watchdog: an error of the wait is its own", async () => {
  await assert.rejects(new Watchdog().watch(() => Promise.reject(new Error("lost")), usual), /lost/);
});
