import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { projectFolder } from "../../scripts/tasks.ts";
import { loadMnist } from "../../src/data/mnist.ts";
import { withFiles } from "../temporary.ts";

const pixels = 28 * 28;

/** An IDX file: the magic number's last two bytes, the sizes and the elements. */
function idx(shape: readonly number[], element: (i: number) => number): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const sizes = shape.flatMap((extent) => [0, 0, extent >> 8, extent & 255]);
  return Uint8Array.of(
    0,
    0,
    8,
    shape.length,
    ...sizes,
    ...Array.from({ length: count }, (_, i) => element(i)),
  );
}

Deno.test("split_mnist.ts divides MNIST's test images, each with its label", async () => {
  const [count, held] = [23, [9, 19]];
  const label = (image: number) => (7 * image) % 10;
  const files = {
    "t10k-images-idx3-ubyte": idx([count, 28, 28], (i) => Math.floor(i / pixels)),
    "t10k-labels-idx1-ubyte": idx([count], label),
  };
  await withFiles(files, async (folder) => {
    const script = fileURLToPath(new URL("../../scripts/split_mnist.ts", import.meta.url));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", `--allow-write=${folder}`, script, folder, `${folder}/split`],
      cwd: projectFolder,
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const { train, test } = await loadMnist(`${folder}/split`);
    const rest = [...Array(count).keys()].filter((i) => !held.includes(i));
    for (const [set, indices] of [[train, rest], [test, held]] as const) {
      assert.equal(set.count, indices.length);
      assert.deepEqual([...set.labels], indices.map(label));
      indices.forEach((image, i) => {
        assert(set.bytes.subarray(i * pixels, (i + 1) * pixels).every((byte) => byte === image));
      });
    }
  });
});
