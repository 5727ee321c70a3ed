/// <reference lib="dom" />
/** The page that watches training runs, while they are being written. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { curvesPage } from "../../src/report/curves/page.ts";
import { embeddedRun } from "../../src/train/run/embedded_run.ts";
import { MetricsReader } from "../../src/train/run/metrics_reader.ts";
import { serve } from "../../web/tools/server.ts";
import { watchPage } from "../../web/tools/watch.ts";
import { watchAnswerer } from "../../web/tools/watch_answer.ts";
import { runsIn } from "../../web/tools/watched_runs.ts";
import { withFiles } from "../temporary.ts";
import { browserTest } from "./chromium.ts";
import { picture, waitForText } from "./page_helpers.ts";
import { row, rows, TestRun } from "./watch_runs.ts";

/** The page, except that it asks ten times as often. */
const hasty = new Map(watchPage);
const html = new TextDecoder().decode(watchPage.get("index.html"));
hasty.set(
  "index.html",
  new TextEncoder().encode(html.replace('data-interval="1000"', 'data-interval="100"')),
);

const nothing = () => new Response(null, { status: 404 });

/** Opens the page on a folder of runs. A request to any server other than its own fails the test. */
async function watching(page: Page, folder: string, test: () => Promise<void>): Promise<void> {
  await using server = await serve(watchAnswerer(hasty, runsIn(folder)), 0);
  const origin = `http://localhost:${server.port}`;
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) elsewhere.push(request.url());
  });
  page.setDefaultTimeout(30_000);
  await page.goto(`${origin}/`);
  await test();
  assert.deepEqual(elsewhere, []);
  await page.goto("about:blank");
}

/** The selector of a run's entry. */
function entry(name: string): string {
  return `#runs li:has(.name:text-is("${name}"))`;
}

async function waitForEntry(page: Page, name: string, ...texts: string[]): Promise<void> {
  for (const text of texts) await page.locator(entry(name)).getByText(text).waitFor();
}

/** Labels of the lines in the chart with this title. */
async function linesOf(page: Page, title: string): Promise<string> {
  const chart = page.locator("figure.curve", { has: page.locator(`strong:text-is("${title}")`) });
  return await chart.locator(".plot").getAttribute("aria-label") ?? "";
}

browserTest("the page shows runs as they are written, begin, go back and end", nothing, async (page) => {
  await withFiles({}, async (folder) => {
    const one = await new TestRun(`${folder}/one`).begin(rows(0, 10));
    await one.picture(0, 50);
    await watching(page, folder, async () => {
      const pieces: { readonly from: number; readonly bytes: number }[] = [];
      page.on("response", (response) => {
        const { "metrics-from": from, "content-length": bytes } = response.headers();
        if (from !== undefined) pieces.push({ from: Number(from), bytes: Number(bytes) });
      });
      await waitForEntry(page, "one", "running", "10 of 100 iterations", "32 images/s");
      assert.match(
        await linesOf(page, "Energy"),
        /^Energy; real images: −2 at the end; generated images: −1 at/,
      );
      assert.match(await linesOf(page, "Loss"), /loss: 0\.2 at the end/);

      // The page ignores an incomplete line. The row appears once its line ends.
      const before = (await Deno.stat(`${one.folder}/metrics.jsonl`)).size;
      const appended = rows(10, 15) + row(15);
      await one.append(appended.slice(0, -20));
      await waitForEntry(page, "one", "15 of 100 iterations");
      await one.append(appended.slice(-20));
      await waitForEntry(page, "one", "16 of 100 iterations");
      assert.deepEqual(pieces.filter(({ bytes }) => bytes > 0), [
        ...pieces.slice(0, 1),
        { from: before, bytes: rows(10, 15).length },
        { from: before + rows(10, 15).length, bytes: row(15).length },
      ]);
      assert.equal(await page.locator(`${entry("one")} .warnings p`).count(), 0);

      await one.append(`{"iteration":16,"lo\n${row(16)}`);
      await one.append('{"iteration":17,"seconds":9,"testAccuracy":0.75,"testLoss":1,"set":"test"}\n');
      await waitForEntry(
        page,
        "one",
        "17 of 100",
        "1 line of metrics.jsonl could not be read",
        "test accuracy 75.0 %",
      );

      const two = await new TestRun(`${folder}/two`).begin(rows(0, 5));
      await waitForEntry(page, "two", "5 of 100 iterations");
      assert.match(
        await linesOf(page, "Loss"),
        /^Loss; two, loss: 0\.4 at the end; one, loss: 0\.1176 at the end/,
      );
      assert.notEqual(await swatchColour(page, "one"), await swatchColour(page, "two"));

      // The run goes back. The rows that it had written after that are no longer shown, nor is the damaged line.
      await one.replace(rows(0, 12));
      await waitForEntry(page, "one", "12 of 100 iterations");
      assert.equal(await page.locator(`${entry("one")} .warnings p`).count(), 0);

      await one.picture(10, 200);
      await waitForText(page, "#pictures figcaption", /^one, iteration 10, the newest$/);
      await page.locator("#pictures input").fill("0");
      await waitForText(page, "#pictures figcaption", /^one, iteration 0$/);
      await page.waitForFunction(() => document.querySelector("img")!.naturalWidth === 8);

      await one.append(rows(12, 100));
      await one.release({ iterations: 100 });
      await waitForEntry(page, "one", "finished", "100 of 100 iterations");
      await two.append(row(5, { loss: null }));
      await two.release();
      await waitForEntry(page, "two", "diverged", "At iteration 5: a loss that is not finite.");
      await new TestRun(`${folder}/three`).begin().then((three) => three.release());
      await waitForEntry(page, "three", "stopped", "no iteration yet");

      await keyboardAndColours(page);
    });
  });
});

function swatchColour(page: Page, name: string): Promise<string> {
  return page.locator(`${entry(name)} .swatch`).evaluate((swatch) =>
    getComputedStyle(swatch).backgroundColor
  );
}

/** Keys show values, the two colour schemes differ, and a phone scrolls only down. */
async function keyboardAndColours(page: Page): Promise<void> {
  const energy = page.locator("figure.curve", { has: page.locator('strong:text-is("Energy")') });
  await energy.locator(".plot").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  const values = energy.locator(".values");
  await values.getByText("one, real images").waitFor();
  assert.match(await values.innerText(), /^iteration 9[78]\n/);
  await page.getByRole("radio", { name: "time" }).check();
  await page.keyboard.press("Tab");
  await page.getByRole("radio", { name: "log" }).check();
  await energy.locator(".plot").hover();
  await values.getByText(/^\d+ s$/).waitFor();

  const grounds = new Set<string>();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    grounds.add(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor));
    await page.setViewportSize({ width: 1280, height: 900 });
    await picture(page, `watch-${colorScheme}`);
    for (const width of [390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      // Charts take the new width one frame later.
      await page.waitForFunction((width) => document.documentElement.scrollWidth <= width, width);
    }
    await picture(page, `watch-phone-${colorScheme}`);
  }
  assert.equal(grounds.size, 2);
}

browserTest("the page's memory does not grow with the run, over 100,000 points", nothing, async (page) => {
  await withFiles({}, async (folder) => {
    const half = 50_000;
    const run = await new TestRun(`${folder}/long`).begin(rows(0, half));
    await watching(page, folder, async () => {
      await waitForEntry(page, "long", "50,000 of 100 iterations");
      const before = await heapOf(page);
      await run.append(rows(half, 2 * half - 1) + row(2 * half - 1, { loss: 77 }));
      await waitForEntry(page, "long", "100,000 of 100 iterations");
      assert.match(await linesOf(page, "Loss"), /loss: 77 at the end/);
      // Keeping ten numbers of each further row would take at least 4 MB.
      const growth = await heapOf(page) - before;
      assert.ok(growth < 2e6, `${growth} bytes more`);
    });
  });
});

/** Bytes that the page's objects take. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}

const carried = [0, 1].map((i) => {
  const reader = new MetricsReader();
  reader.push(rows(0, 5 + i));
  return embeddedRun(`run ${i} </script>`, reader);
});

browserTest(
  "a page that carries curves draws them without a request",
  () =>
    new Response(curvesPage("<Curves>", ["about"], carried), { headers: { "content-type": "text/html" } }),
  async (page, origin) => {
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`${origin}/`);
    await page.locator(".runs-key").getByText("run 1 </script>").waitFor();
    assert.match(
      await linesOf(page, "Loss"),
      /run 0 .*, loss: 0\.4 at the end; run 1 .*, loss: 0\.3333 at the end/,
    );
    assert.equal(await page.locator("figure.curve:visible canvas").count(), 6);
    assert.deepEqual(requests.filter((url) => !url.endsWith("/favicon.ico")), [`${origin}/`]);
  },
);
