import assert from "node:assert/strict";
import { type RankAdapter, sharedGpu } from "../../src/cli/job/adapters.ts";

const card = "NVIDIA GeForce RTX 4090, Vulkan";
const rank = (host: string, adapter: string | undefined, isolated = false): RankAdapter => {
  return { host, adapter, isolated };
};

Deno.test("sharedGpu() refuses two ranks of one machine on GPUs of one name, unless they are isolated", () => {
  const message =
    "ranks 1 and 2 on b both compute on NVIDIA GeForce RTX 4090, Vulkan, and nothing shows that it is not " +
    "one GPU; have the launcher give each its own (docs/distributed.md), or add --share-gpu";
  assert.equal(sharedGpu([rank("a", card), rank("b", card), rank("b", card)]), message);
  assert.equal(sharedGpu([rank("a", card), rank("b", card)]), undefined);
  assert.equal(sharedGpu([rank("a", card, true), rank("a", card, true)]), undefined);
  assert.equal(sharedGpu([rank("a", card), rank("a", "AMD Radeon RX 7900 XTX, Vulkan")]), undefined);
});

Deno.test("sharedGpu() lets ranks share a software adapter, and leaves those without any to others", () => {
  const software = "llvmpipe (LLVM 15.0.6, 256 bits), Vulkan";
  assert.equal(sharedGpu([rank("a", software), rank("a", software)]), undefined);
  assert.equal(sharedGpu([rank("a", undefined), rank("a", undefined)]), undefined);
});
