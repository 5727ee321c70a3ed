import assert from "node:assert/strict";
import { GpuError, GpuLostError } from "../../../src/errors.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import { acrossLosses } from "../../../src/train/recovery/reopen.ts";
import { refuses } from "../../refusal.ts";

/** What happens at each opening: the GPU works, is lost while it works, or cannot be opened. */
type Event = "works" | "lost" | "fails" | "refused";

/** Runs work through a series of GPU events. `reached` is the work's progress after each loss. */
async function through(events: readonly Event[], reached: readonly number[] = []) {
  const [lines, pauses]: [string[], number[]] = [[], []];
  let [opened, losses] = [0, 0];
  const result = await acrossLosses({
    open: () => events[opened++] === "refused" ? Promise.reject(new GpuError("no adapter")) : Gpu.request(),
    async work(gpu) {
      const event = events[opened - 1];
      if (event === "fails") throw new RangeError("no loss");
      if (event === "works") return await gpu.read([]).then(() => "done");
      losses++;
      gpu.device.destroy();
      throw new TypeError("something else, because of the loss");
    },
    reached: () => reached[losses - 1] ?? 0,
    tell: (line) => lines.push(line),
    pause: (milliseconds) => Promise.resolve(void pauses.push(milliseconds)),
  });
  return { result, lines, pauses, opened };
}

Deno.test("acrossLosses() opens the GPU again, waiting longer each time, and says so", async () => {
  const { result, lines, pauses } = await through(["lost", "refused", "lost", "works"]);
  assert.equal(result, "done");
  assert.deepEqual(pauses, [1_000, 10_000, 60_000]);
  assert.match(lines[0]!, /^warning: the GPU device was lost: .*; opening the GPU again \(1 of 3\)$/);
  assert.match(lines[1]!, /^warning: no adapter; opening the GPU again \(2 of 3\)$/);
});

Deno.test("acrossLosses() gives up after three times without progress, and counts anew after progress", async () => {
  await refuses(
    through(["lost", "lost", "refused", "lost"]),
    GpuLostError,
    /lost: .* 3 times was of no use$/,
  );
  const { pauses } = await through(["lost", "lost", "lost", "lost", "works"], [0, 0, 5, 5]);
  assert.deepEqual(pauses, [1_000, 10_000, 1_000, 10_000]);
});

Deno.test("acrossLosses() leaves other errors alone, and a GPU that cannot be opened at first", async () => {
  await assert.rejects(through(["fails"]), RangeError);
  await refuses(through(["refused", "works"]), GpuError, /^no adapter$/);
});
