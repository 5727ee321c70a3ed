/** The examples that are pages. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Buffer } from "node:buffer";
import { pathToFileURL } from "node:url";
import { buildExamples } from "../../scripts/examples.ts";
import { browserTest, folder } from "./chromium.ts";

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
  "examples/sample draws from a model file, and refuses another in a line",
  folder(built),
  async (page, origin) => {
    await page.goto(`${origin}/sample.html`);
    const shows = (message: string) =>
      page.waitForFunction(`/${message}/.test(document.getElementById("message").value)`);
    const choose = async (name: string, bytes: Uint8Array) => {
      const file = { name, mimeType: "application/octet-stream", buffer: Buffer.from(bytes) };
      await page.setInputFiles("#model", file);
    };
    await choose("x.safetensors", Uint8Array.of(1, 2, 3));
    await shows("bytes");
    const model = new URL("../../data/models/digits.safetensors", import.meta.url);
    await choose("digits.safetensors", await Deno.readFile(model));
    await shows("^A hundred images of mean energy -4[.][0-4]");
    const drawn = await pixels(page, "canvas");
    assert.equal(drawn.length, 4 * 342 ** 2);
    // Grey between the images, black and white in them.
    assert.deepEqual(drawn.slice(0, 4), [128, 128, 128, 255]);
    assert(new Set(drawn).size > 100);
  },
);

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
    // In patches, neighbours agree in both directions. In stripes, horizontal neighbours agree and vertical ones do
    // not.
    assert(correlation(patches, 4) > 0.5 && correlation(patches, 4 * 128) > 0.5);
    assert(correlation(stripes, 4) > 0.5 && correlation(stripes, 4 * 128) < 0.2);

    const same = (image: readonly number[]) =>
      image.filter((value, i) => value === patches[i]).length / image.length;
    assert.equal(same(await texture("patches", 1)), 1, "the same seed is the same texture");
    await page.click("#again");
    assert(same(await texture("patches", 2)) < 0.5, "another seed is another texture");
  },
);

/** Correlation of each colour with the one `distance` values further on. */
function correlation(image: readonly number[], distance: number): number {
  const pairs = image.slice(0, -distance).map((value, i) => [value, image[i + distance]!] as const)
    .filter((_, i) => i % 4 !== 3);
  const mean = (of: (pair: readonly [number, number]) => number) =>
    pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const [first, second] = [mean(([a]) => a), mean(([, b]) => b)];
  const covariance = mean(([a, b]) => (a - first) * (b - second));
  return covariance / Math.sqrt(mean(([a]) => (a - first) ** 2) * mean(([, b]) => (b - second) ** 2));
}
