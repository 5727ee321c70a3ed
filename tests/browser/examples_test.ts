/** The examples, as their readers run them. */

import assert from "node:assert/strict";
import { decode } from "fast-png";
import type { Page } from "playwright-core";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildExamples } from "../../scripts/examples.ts";
import { withFiles } from "../temporary.ts";
import { browserTest, folder } from "./chromium.ts";

const root = new URL("../../", import.meta.url);

/** Runs an example in Deno and returns what it printed. */
async function runExample(name: string, permissions: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--config", fileURLToPath(new URL("deno.json", root)), ...permissions],
      fileURLToPath(new URL(`examples/${name}.ts`, root)),
    ],
    cwd,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("examples/convolution.ts computes a ramp's derivatives, and needs no permission", async () => {
  const output = await runExample("convolution", [], fileURLToPath(root));
  assert.equal(output, "derivative by x 3, by y 5\n");
});

Deno.test("examples/restore.ts brings images nearer to the true ones", async () => {
  await withFiles({}, async (folder) => {
    const output = await runExample("restore", ["--allow-read", "--allow-write=restored.png"], folder);
    const lines = output.trimEnd().split("\n");
    assert.equal(lines.length, 2);
    for (const line of lines) {
      const [before, after] = [...line.matchAll(/error ([\d.]+), (\d+) of 20/g)].map(([, error, right]) => ({
        error: Number(error),
        right: Number(right),
      }));
      assert(after!.error < 0.9 * before!.error && after!.right > before!.right, line);
    }
    const { width, height } = decode(await Deno.readFile(`${folder}/restored.png`));
    assert.deepEqual([width, height], [20 * 34 + 2, 5 * 34 + 2]);
  });
});

const built = pathToFileURL(`${await Deno.makeTempDir()}/`);
await buildExamples(built);
globalThis.addEventListener("unload", () => Deno.removeSync(built, { recursive: true }));

/** The pixels of a canvas, four values each. */
async function pixels(page: Page, canvas: string): Promise<number[]> {
  return await page.evaluate(`(() => {
    const source = document.querySelector("${canvas}");
    const copy = new OffscreenCanvas(source.width, source.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(source, 0, 0);
    return [...copy.getImageData(0, 0, source.width, source.height).data];
  })()`);
}

browserTest("examples/image_filter filters a canvas", folder(built), async (page, origin) => {
  await page.goto(`${origin}/image_filter.html?still`);
  const shown = async (filter: string) => {
    await page.selectOption("#filter", filter);
    await page.waitForFunction(`document.body.dataset.shown === "${filter}"`);
    return await pixels(page, "#filtered");
  };
  const unchanged = await shown("none");
  const source = await pixels(page, "#source");
  assert(unchanged.every((value, i) => value === source[i]), "no filter changes nothing");

  const embossed = await shown("emboss");
  const row = 4 * 160;
  for (let y = 1; y < 159; y++) {
    for (let i = y * row + 4; i < (y + 1) * row - 4; i++) {
      if (i % 4 === 3) continue;
      const at = (dy: number, dx: number) => source[i + dy * row + 4 * dx]!;
      const sum = at(0, 0) + 2 * (at(1, 1) - at(-1, -1)) + at(1, 0) - at(-1, 0) + at(0, 1) - at(0, -1);
      const expected = Math.min(255, Math.max(0, sum));
      assert(Math.abs(embossed[i]! - expected) <= 1, `${i}: ${embossed[i]}, expected ${expected}`);
    }
  }
});

browserTest(
  "examples/texture makes textures that differ by energy and seed",
  folder(built),
  async (page, origin) => {
    await page.goto(`${origin}/texture.html?steps=80`);
    const texture = async (name: string, seed: number) => {
      await page.selectOption("#texture", name);
      const message = `${name}, 80 steps, seed ${seed}`;
      await page.waitForFunction(`document.getElementById("message").value === "${message}"`);
      return await pixels(page, "canvas");
    };
    const patches = await texture("patches", 1);
    const stripes = await texture("stripes", 1);
    // Neighbours agree in patches in both directions; in stripes those beside each other do, those above do not.
    assert(correlation(patches, 4) > 0.5 && correlation(patches, 4 * 128) > 0.5);
    assert(correlation(stripes, 4) > 0.5 && correlation(stripes, 4 * 128) < 0.2);

    const same = (image: readonly number[]) =>
      image.filter((value, i) => value === patches[i]).length / image.length;
    assert.equal(same(await texture("patches", 1)), 1, "the same seed is the same texture");
    await page.click("#again");
    assert(same(await texture("patches", 2)) < 0.5, "another seed is another texture");
  },
);

/** Correlation of each colour with that some values further on. */
function correlation(image: readonly number[], distance: number): number {
  const pairs = image.slice(0, -distance).map((value, i) => [value, image[i + distance]!] as const)
    .filter((_, i) => i % 4 !== 3);
  const mean = (of: (pair: readonly [number, number]) => number) =>
    pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const [first, second] = [mean(([a]) => a), mean(([, b]) => b)];
  const covariance = mean(([a, b]) => (a - first) * (b - second));
  return covariance / Math.sqrt(mean(([a]) => (a - first) ** 2) * mean(([, b]) => (b - second) ** 2));
}
