import assert from "node:assert/strict";
import { type Common, requireAgreement } from "../../src/distributed/agreement.ts";
import { oneProcess } from "../../src/distributed/communicator.ts";
import { shareBytes, shareValue } from "../../src/distributed/share.ts";
import { ConfigurationError } from "../../src/errors.ts";
import { processesInOne } from "./processes_in_one.ts";

/** What each rank reports once all ranks have said what they have. */
async function verdicts(commons: readonly Common[]): Promise<string[]> {
  const ends = await Promise.allSettled(
    processesInOne(commons.length).map((communicator) =>
      requireAgreement(communicator, commons[communicator.rank]!)
    ),
  );
  return ends.map((end) => {
    if (end.status === "fulfilled") return "agreed";
    assert(end.reason instanceof ConfigurationError);
    return end.reason.message;
  });
}

Deno.test("requireAgreement() names the first rank that differs, in what and how, on all ranks", async () => {
  const common: Common = { adapter: { name: "llvmpipe, Vulkan" }, state: { iteration: 3, list: [1, null] } };
  assert.deepEqual(await verdicts([common, structuredClone(common)]), ["agreed", "agreed"]);
  const other: Common = { ...common, adapter: { name: "NVIDIA, Vulkan" } };
  const message = 'rank 2: other adapter than rank 0: name is "NVIDIA, Vulkan", not "llvmpipe, Vulkan"';
  assert.deepEqual(await verdicts([common, common, other]), [message, message, message]);
  const more: Common = { ...common, state: { ...common["state"], more: true } };
  const missing = "rank 1: other state than rank 0: more is true, not unknown";
  assert.deepEqual(await verdicts([common, more]), [missing, missing]);
  await requireAgreement(oneProcess, common);
});

Deno.test("shareValue() and shareBytes() give all ranks what rank 0 has", async () => {
  const shared = await Promise.all(
    processesInOne(3).map(async (communicator) => {
      const first = communicator.rank === 0;
      return [
        await shareValue(communicator, first ? { text: "größer", list: [1, 2] } : undefined),
        await shareValue(communicator, first ? null : undefined),
        [...await shareBytes(communicator, first ? Uint8Array.of(3, 1, 4) : undefined)],
        [...await shareBytes(communicator, first ? new Uint8Array() : undefined)],
      ];
    }),
  );
  for (const values of shared) {
    assert.deepEqual(values, [{ text: "größer", list: [1, 2] }, null, [3, 1, 4], []]);
  }
});
