/// <reference lib="dom" />
/** The tour, by keyboard alone, with a worker that computes nothing. */

import assert from "node:assert/strict";
import { browserTest } from "./chromium.ts";
import { content, picture, waitForText } from "./page_helpers.ts";
import { loadStubbed } from "./page_stub.ts";

browserTest(
  "the tour starts when asked for, is led by keyboard and leaves no trace",
  content,
  async (page, origin) => {
    const phone = { width: 360, height: 640 };
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ reducedMotion: "reduce" });
    await loadStubbed(page, origin);
    assert.equal(await page.locator("#tour").isVisible(), false);
    await page.focus("#tour-start");
    await page.keyboard.press("Enter");
    const steps = [["Energy", "sample"], ["Chains", "sample"], ["Density", "draw"], ["Attack", "draw"], [
      "Training",
      "train",
    ]];
    for (const [i, [title, panel]] of steps.entries()) {
      await waitForText(page, "#tour-title", new RegExp(`^${title} \\(${i + 1} of 5\\)$`));
      assert.ok(await page.isVisible(`#${panel}`));
      assert.equal(await page.evaluate(() => document.activeElement?.id), "tour-title");
      await page.screenshot({ path: `dist/screenshots/tour-desktop-${i + 1}.png` });
      const apart = await page.locator(".toured").evaluate((element) => {
        const [one, two] = [element, document.getElementById("tour")!].map((box) =>
          box.getBoundingClientRect()
        );
        return one!.right < two!.left || two!.right < one!.left || one!.bottom < two!.top;
      });
      assert.ok(apart, `${title} is covered`);
      await page.setViewportSize(phone);
      const marked = await page.locator(".toured").evaluate((element) => {
        element.scrollIntoView({ block: "start" });
        return {
          top: element.getBoundingClientRect().top,
          card: document.getElementById("tour")!.getBoundingClientRect().top,
        };
      });
      assert.ok(
        marked.top >= 0 && marked.top + 60 < marked.card,
        `${title} is covered: ${JSON.stringify(marked)}`,
      );
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await page.screenshot({ path: `dist/screenshots/tour-phone-${i + 1}.png` });
      await page.setViewportSize({ width: 1280, height: 800 });
      // Tab goes from the title to Back and then to Next. The first step has no Back.
      for (let tabs = i === 0 ? 1 : 2; tabs > 0; tabs--) await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement?.id), "tour-next");
      if (i < 4) await page.keyboard.press("Enter");
    }
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#tour").isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "tour-start");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#tour").isVisible(), false);
    assert.equal(await page.locator(".toured").count(), 0);
    const kept = await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]);
    assert.deepEqual(kept, ["", 0, 0]);
    await picture(page, "sample-after-tour");
  },
);
