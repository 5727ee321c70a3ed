import assert from "node:assert/strict";
import { sampleHistory } from "../../src/cli/sample_history.ts";
import { withFiles } from "../temporary.ts";

const picture = (iteration: number): [string, Uint8Array] => [
  `samples/${String(iteration).padStart(8, "0")}.png`,
  Uint8Array.of(iteration % 256),
];

Deno.test("sampleHistory() finds a run's pictures in their order, beside a file of the run too", async () => {
  const files = Object.fromEntries([200, 1000, 50].map(picture));
  await withFiles(
    { ...files, "samples/notes.txt": Uint8Array.of(1), "model.safetensors": Uint8Array.of(1) },
    async (folder) => {
      for (const model of [folder, `${folder}/model.safetensors`]) {
        const found = await sampleHistory(model);
        assert.deepEqual(found.map(({ iteration, png }) => [iteration, png[0]]), [[50, 50], [200, 200], [
          1000,
          232,
        ]]);
      }
      assert.deepEqual(await sampleHistory(`${folder}/samples/`), []);
    },
  );
  assert.deepEqual(await sampleHistory(undefined), []);
});

Deno.test("sampleHistory() takes sixty of many pictures, the first and the last among them", async () => {
  await withFiles(Object.fromEntries(Array.from({ length: 150 }, (_, i) => picture(i))), async (folder) => {
    const iterations = (await sampleHistory(folder)).map(({ iteration }) => iteration);
    assert.deepEqual([iterations.length, iterations[0], iterations.at(-1)], [60, 0, 149]);
    assert.equal(new Set(iterations).size, 60);
  });
});
