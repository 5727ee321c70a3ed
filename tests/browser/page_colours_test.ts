/// <reference lib="dom" />
/** The page in the system's own colours, which Windows' contrast themes force on pages. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTest } from "./chromium.ts";
import { content, picture, waitForText } from "./page_helpers.ts";
import { loadStubbed } from "./page_stub.ts";

/** Least contrast of non-text content in WCAG 2.2, 1.4.11. */
const least = 3;

browserTest("in forced colours choices, lines and the pad can be seen", content, async (page, origin) => {
  await page.setViewportSize({ width: 1280, height: 800 });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ forcedColors: "active", colorScheme });
    await loadStubbed(page, origin);
    await waitForText(page, "#chain-status", /^step 8\//);
    for (
      const [chosen, other] of [
        ["#tab-sample", "#tab-draw"],
        ["#class-choice label:nth-of-type(1) span", "#class-choice label:nth-of-type(2) span"],
      ] as const
    ) {
      const [one, two] = [await background(page, chosen), await background(page, other)];
      assert.ok(contrast(one, two) >= least, `${chosen}: ${one}, ${other}: ${two}`);
    }
    assert.ok(await canvasContrast(page, "#chain-curve") >= least);
    // Behind text whose colours are adjusted, the browser puts a plate in the page's colour.
    const adjusted = await page.locator("#chain-run").evaluate((button) =>
      getComputedStyle(button).getPropertyValue("forced-color-adjust")
    );
    assert.equal(adjusted, "none");
    await picture(page, `forced-${colorScheme}-sample`);
    await page.click("#tab-draw");
    const pad = (await page.locator("#pad").boundingBox())!;
    await page.mouse.move(pad.x + 100, pad.y + 50);
    await page.mouse.down();
    await page.mouse.move(pad.x + 100, pad.y + 200);
    await page.mouse.up();
    await waitForText(page, "#verdict", /distribution/);
    await page.click("#attack-run");
    await waitForText(page, "#attack-status", /^step 20/);
    for (const canvas of ["#pad", "#seen", "#density-chart", "#attack-curve"]) {
      assert.ok(await canvasContrast(page, canvas) >= least, canvas);
    }
    const border = await page.locator("#pad").evaluate((pad) => getComputedStyle(pad).borderTopColor);
    assert.ok(
      contrast(channels(border), await background(page, "html")) >= least,
      `the pad's edge: ${border}`,
    );
    const bar = await background(page, ".bars i");
    assert.ok(contrast(bar, await background(page, "html")) >= least, `bars: ${bar}`);
    await picture(page, `forced-${colorScheme}-draw`);
  }
});

type Colour = readonly number[];

function channels(colour: string): Colour {
  return colour.match(/[\d.]+/g)!.slice(0, 4).map(Number);
}

/** The colour behind an element's content: its own background, or that of its nearest ancestor that has one. */
async function background(page: Page, selector: string): Promise<Colour> {
  const colour = await page.locator(selector).first().evaluate((start) => {
    for (let at: Element | null = start; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!/^rgba.*, 0\)$/.test(backgroundColor)) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  });
  return channels(colour);
}

/** The largest contrast between what a canvas shows and what is behind it. */
async function canvasContrast(page: Page, selector: string): Promise<number> {
  const colours = await page.locator(selector).evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    const found = new Map<string, number>();
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3]! < 200) continue;
      const key = data.subarray(i, i + 3).join();
      found.set(key, (found.get(key) ?? 0) + 1);
    }
    return [...found].filter(([, count]) => count >= 30).map(([key]) => key);
  });
  const behind = await background(page, selector);
  return Math.max(0, ...colours.map((colour) => contrast(channels(colour), behind)));
}

/** Contrast of two colours as WCAG 2.2 defines it, 1 to 21. */
function contrast(one: Colour, two: Colour): number {
  const luminance = (colour: Colour) => {
    const [red, green, blue] = colour.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}
