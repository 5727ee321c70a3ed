import assert from "node:assert/strict";
import { decodeCheckpoint, serializeCheckpoint } from "../../../src/train/checkpoint/checkpoint.ts";
import { published } from "../../../src/train/checkpoint/published.ts";

const shipped = await decodeCheckpoint(
  await Deno.readFile(new URL("../../../data/models/digits.safetensors", import.meta.url)),
);

Deno.test("published() names no folder of this computer, wherever a configuration does", async () => {
  const secret = "/home/somebody";
  const changes: Record<string, [string | number | null, string | number]> = {
    dataFolder: [null, `${secret}/data`],
    learningRate: [0.1, 0.2],
  };
  const configuration = {
    ...shipped.configuration,
    dataFolder: `${secret}/data`,
    origin: { path: `${secret}/runs/softmax`, sha256: "0".repeat(64) },
    history: [{ iteration: 3, attempts: 0, changes }],
  };
  const checkpoint = { ...shipped, configuration };
  const text = async (of: typeof shipped) =>
    new TextDecoder("latin1").decode((await serializeCheckpoint(of)).subarray(0, 8192));
  assert((await text(checkpoint)).includes(secret));
  const clean = published(checkpoint);
  assert(!(await text(clean)).includes(secret));
  assert.equal(clean.configuration.origin?.path, "softmax");
  assert.deepEqual(clean.configuration.history[0]?.changes, { learningRate: [0.1, 0.2] });
  assert.deepEqual(clean.tensors, shipped.tensors);
});

Deno.test("published() keeps some entries of the replay buffer, evenly spaced", () => {
  const { shape: [all = 0], data } = shipped.tensors.get("replay_buffer")!;
  const size = data.length / all;
  const kept = published(shipped, 3).tensors.get("replay_buffer")!;
  assert.deepEqual(kept.shape, [3, 1, 8, 8]);
  [0, Math.floor(all / 3), Math.floor(2 * all / 3)].forEach((entry, i) => {
    const [row, expected] = [i, entry].map((n) => [n * size, (n + 1) * size] as const);
    assert.deepEqual(kept.data.subarray(...row!), data.subarray(...expected!));
  });
  assert.deepEqual(
    published(shipped, 2 * all).tensors.get("replay_buffer"),
    shipped.tensors.get("replay_buffer"),
  );
  assert(!published(shipped, 0).tensors.has("replay_buffer"));
});
