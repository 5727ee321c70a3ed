/// <reference lib="dom" />
/** Pictures from files, for models of colour pictures. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { encodePng } from "../../src/formats/pictures/png.ts";
import { browserTest } from "./chromium.ts";
import { content, dropFile, picture, recordMessages, takeResults, waitForText } from "./page_helpers.ts";
import { loadStubbed } from "./page_stub.ts";

/** A picture of 40×20: its central square is red on the left and blue on the right, and grey lies beside it. */
const striped = encodePng({
  width: 40,
  height: 20,
  channels: 3,
  data: Uint8Array.from({ length: 40 * 20 * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % 40;
    if (x < 10 || x >= 30) return 99;
    return [x < 20 ? 255 : 0, 0, x < 20 ? 0 : 255][i % 3]!;
  }),
});

browserTest(
  "a model of colour pictures takes them from files, and dropped ones",
  content,
  async (page, origin) => {
    await loadStubbed(page, origin);
    const [png, damaged] = [new Uint8Array(striped), new TextEncoder().encode("damaged")];
    await page.click("#tab-draw");
    assert.equal(await page.isVisible("#picture"), false);
    await dropFile(page, "damaged.png", damaged, "image/png");
    await waitForText(page, "#open-status.failed", /^it is damaged$/);

    await dropFile(page, "colours.safetensors", png);
    await waitForText(page, "#model-line", /^colours\.safetensors: .* 32×32 pixels/);
    await waitForText(page, "#verdict", /^Open a picture to see/);
    for (const id of ["pad", "pad-clear", "pad-test", "pad-fit", "density-figure", "tour-start"]) {
      assert.equal(await page.isVisible(`#${id}`), false, id);
    }
    await page.setInputFiles("#picture-file", {
      name: "cat.png",
      mimeType: "image/png",
      buffer: Buffer.from(png),
    });
    await waitForText(page, "#verdict", /^log p̃\(x\) = 3\.21, .* no training images of this model/);
    await picture(page, "picture-desktop-light");
    await page.click("#attack-run:enabled");
    await waitForText(page, "#attack-status", /^step 20\/20: 9 became \d$/);

    await page.click("#tab-sample");
    await dropFile(page, "dog.png", png, "image/png");
    await waitForText(page, "#verdict", /^log p̃\(x\) = 3\.21/);
    assert.ok(await page.isVisible("#draw"), "a dropped picture is judged");
    await dropFile(page, "damaged.png", damaged, "image/png");
    await waitForText(page, "#attack-status.failed", /^it is damaged$/);
    await page.setViewportSize({ width: 390, height: 844 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await picture(page, "picture-phone");

    await dropFile(page, "digits.safetensors", png);
    await waitForText(page, "#verdict", /^Draw something/);
    assert.ok(await page.isVisible("#pad") && !await page.isVisible("#picture"));
  },
);

browserTest(
  "a picture becomes the central square in [−1, 1], resized, and is judged",
  content,
  async (page, origin) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await recordMessages(page);
    await page.goto(`${origin}/`);
    await waitForText(page, "#model-line", /^digits/);
    await page.selectOption("#model-menu select", "cifar10-small");
    await waitForText(page, "#model-line", /^cifar10-small/);
    await page.click("#tab-draw");
    await page.setInputFiles("#picture-file", {
      name: "stripes.png",
      mimeType: "image/png",
      buffer: Buffer.from(striped),
    });
    await waitForText(page, "#verdict", /^log p̃\(x\) = −?\d/);
    await waitForText(page, "#probabilities", /^airplane[\d.]+ %automobile/);
    const side = 32;
    const images = (await takeResults(page)).filter((result) => result instanceof Array) as number[][];
    assert.deepEqual(images.map(({ length }) => length), [side * side * 3]);
    for (let pixel = 0; pixel < side * side; pixel++) {
      const column = pixel % side;
      // Where both colours meet, bilinear interpolation from 20 to 32 columns mixes them.
      if (Math.abs(column - 15.5) < 2) continue;
      const expected = column < side / 2 ? [1, -1, -1] : [-1, -1, 1];
      assert.deepEqual(images[0]!.slice(3 * pixel, 3 * pixel + 3), expected, `pixel ${pixel}`);
    }

    await dropFile(page, "notes.webp", new TextEncoder().encode("RIFF"), "image/webp");
    await waitForText(
      page,
      "#attack-status.failed",
      /^notes\.webp is no picture that this browser can read$/,
    );
  },
);
