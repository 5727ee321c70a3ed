/// <reference lib="dom" />
/**
 * The page on small screens, with a worker that computes nothing. A picture of every state goes to `dist/screenshots/`.
 */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTest } from "./chromium.ts";
import { content, picture, waitForText } from "./page_helpers.ts";
import { loadStubbed } from "./page_stub.ts";

/** Visible touch targets that are less than 44 px high, and elements that stick out at the sides. */
function misfits(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const least = 44;
    const found: string[] = [];
    const touched = "button, .button, select, .choice label, .check, input:not(.choice input, .check input)";
    for (const element of document.querySelectorAll<HTMLElement>(touched)) {
      const { width, height, left, right } = element.getBoundingClientRect();
      if (width === 0) continue;
      const name = element.id || element.textContent!.trim();
      // The invisible file input lies over its button.
      if (height < least && element.id !== "model-file") found.push(`${name}: ${height} px high`);
      if (left < 0 || right > innerWidth) found.push(`${name}: from ${left} to ${right}`);
      if (element.matches("input[type=range]")) {
        const thumb = Number.parseFloat(getComputedStyle(element, "::-webkit-slider-thumb").height);
        if (!(thumb >= least)) found.push(`thumb of ${name}: ${thumb} px high`);
      }
    }
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) found.push(`the page: ${scrollWidth} px wide`);
    return found;
  });
}

for (const [width, height] of [[390, 844], [360, 640]] as const) {
  browserTest(
    `on a phone of ${width}×${height} all can be touched, and one sees the verdict while drawing`,
    content,
    async (page, origin) => {
      await page.setViewportSize({ width, height });
      await loadStubbed(page, origin);
      await waitForText(page, "#chain-status", /^step 8\//);
      for (const tab of ["sample", "train", "draw"]) {
        await page.click(`#tab-${tab}`);
        assert.deepEqual(await misfits(page), [], tab);
        await picture(page, `phone-${width}-${tab}`);
      }
      await draws(page, width, height);
      await page.mouse.up();
      await page.click("#attack-run");
      await waitForText(page, "#attack-status", /^step 20/);
      assert.deepEqual(await misfits(page), [], "attack");
      await picture(page, `phone-${width}-attack`);
    },
  );
}

/** The pad is as wide as the screen, and the verdict is in view while the pen is down. */
async function draws(page: Page, width: number, height: number): Promise<void> {
  const pad = (await page.locator("#pad").boundingBox())!;
  assert.deepEqual([pad.x, pad.width], [0, width]);
  await page.mouse.move(pad.x + pad.width / 2, pad.y + pad.height / 4);
  await page.mouse.down();
  await page.mouse.move(pad.x + pad.width / 2, pad.y + pad.height * 3 / 4);
  await waitForText(page, "#verdict", /^In distribution\. .* of the test images\.$/);
  assert.equal(await page.evaluate(() => scrollY), 0);
  for (const id of ["#pad", "#seen", "#verdict"]) {
    const box = (await page.locator(id).boundingBox())!;
    assert.ok(box.y >= 0 && box.y + box.height <= height, `${id} ends at ${box.y + box.height}`);
  }
}
