import assert from "node:assert/strict";
import { requireSameWork, type Work } from "../../src/cli/job/same_work.ts";
import { ConfigurationError } from "../../src/errors.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";

const shape = [2];
const work: Work = {
  gpu: { adapterName: "llvmpipe, Vulkan" } as Gpu,
  kernels: undefined,
  values: { count: "100" },
  checkpoint: { tensors: new Map([["weight", { shape, data: Float32Array.of(1, 2) }]]) },
};

Deno.test("requireSameWork() lets ranks go on that do the same, each with data of its own", async () => {
  const same = {
    ...work,
    checkpoint: { tensors: new Map([["weight", { shape, data: Float32Array.of(1, 2) }]]) },
  };
  await Promise.all(processesInOne(2).map((rank, i) => requireSameWork(rank, i === 0 ? work : same)));
});

const others: Record<string, [Partial<Work>, RegExp]> = {
  adapter: [
    { gpu: { adapterName: "NVIDIA H200, Vulkan" } as Gpu },
    /^rank 2: other adapter than rank 0: .*NVIDIA H200, Vulkan.*llvmpipe, Vulkan/,
  ],
  options: [{ values: { count: "200" } }, /^rank 2: other options than rank 0: .*200.*100/],
  model: [
    { checkpoint: { tensors: new Map([["weight", { shape, data: Float32Array.of(1, 3) }]]) } },
    /^rank 2: other model than rank 0: /,
  ],
};
for (const [name, [difference, message]] of Object.entries(others)) {
  Deno.test(`requireSameWork() refuses another ${name} on all ranks, in a line that names the rank`, async () => {
    const checks = processesInOne(3).map((rank, i) =>
      requireSameWork(rank, i === 2 ? { ...work, ...difference } : work)
    );
    for (const check of checks) {
      await assert.rejects(check, (error: Error) => {
        return error instanceof ConfigurationError && message.test(error.message);
      });
    }
  });
}
