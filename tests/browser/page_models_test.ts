/// <reference lib="dom" />
/** Which model the page has open, with a worker that computes nothing, and how a screen reader sees the page. */

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { bundlePage } from "../../web/tools/bundle.ts";
import { modelBytes, refusal } from "../../web/worker/model_file.ts";
import { CheckpointError, GpuError } from "../../src/errors.ts";
import { browserTest, type Content } from "./chromium.ts";
import { content, dropFile, picture, shippedModel, waitForText } from "./page_helpers.ts";
import { loadStubbed, releaseSlow, stubWorkers } from "./page_stub.ts";

const text = new TextEncoder();

/** The page with models of these names. Each is the bundled model. */
function withModels(...names: string[]): Content {
  return (path) => {
    if (path === "/models.json") return Response.json(names);
    return content(path.endsWith(".safetensors") ? "/digits.safetensors" : path);
  };
}

Deno.test("the page's build lists the models of a folder, the digits first", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const names = ["mnist-28.safetensors", "cifar10-small.safetensors", "digits.safetensors", "notes.txt"];
    for (const name of names) await Deno.writeTextFile(`${folder}/${name}`, name);
    const files = await bundlePage(pathToFileURL(`${folder}/`));
    const list = JSON.parse(new TextDecoder().decode(files.get("models.json")));
    assert.deepEqual(list, ["digits", "cifar10-small", "mnist-28"]);
    assert.deepEqual(files.get("mnist-28.safetensors"), text.encode("mnist-28.safetensors"));
    assert.ok(!files.has("notes.txt"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a file that is no model is refused in a sentence that names it, and what the page takes", async () => {
  const takes =
    "this page takes .safetensors and .pt files that sada-jem or the official SADA-JEM code wrote";
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52);
  for (const bytes of ["", "x", "To do: buy milk.", '{"a": 1, "b": 2}', "%PDF-1.7\n", png] as const) {
    await assert.rejects(modelBytes("notes.txt", new Blob([bytes])), {
      message: `notes.txt is no model; ${takes}`,
    });
  }
  const model = await shippedModel();
  assert.deepEqual(await modelBytes("digits.safetensors", new Blob([model])), model);
  assert.deepEqual(
    refusal("x.pt", new CheckpointError("it is cut")),
    new CheckpointError(`x.pt cannot be opened (it is cut); ${takes}`),
  );
  const lost = new GpuError("the device is lost");
  assert.equal(refusal("x.pt", lost), lost, "no fault of the file");
});

browserTest(
  "a file that is refused leaves all as it is; saving waits for a model that opens",
  content,
  async (page, origin) => {
    await loadStubbed(page, origin);
    const line = await page.textContent("#model-line");
    await waitForText(page, "#chain-status", /^step 8\/60$/);
    await dropFile(page, "notes.txt", text.encode("damaged"));
    await waitForText(page, "#open-status.failed", /^it is damaged$/);
    assert.equal(await page.textContent("#model-line"), line);
    assert.equal(await page.textContent("#chain-status"), "step 8/60");
    assert.equal(await page.textContent("#chain-run"), "Stop", "the chains go on");

    await dropFile(page, "slow.pt", text.encode("model"));
    const opened = page.waitForEvent("download");
    await page.click("#export-pt");
    assert.equal(await page.textContent("#open-status"), "Opening slow.pt …");
    assert.equal(await page.textContent("#model-line"), line, "the old model is open meanwhile");
    await releaseSlow(page);
    assert.deepEqual(await saved(await opened), ["slow.pt", "slow.pt"]);
    await waitForText(page, "#model-menu option:checked", /^slow\.pt$/);

    await dropFile(page, "slow too.pt", text.encode("damaged"));
    const kept = page.waitForEvent("download");
    await page.click("#export-safetensors");
    assert.deepEqual(await saved(await kept), ["slow.safetensors", "slow.pt"]);
  },
);

/** Name and content of a file that the page saved. */
async function saved(download: { suggestedFilename(): string; path(): Promise<string> }): Promise<string[]> {
  return [download.suggestedFilename(), await Deno.readTextFile(await download.path())];
}

browserTest(
  "of one model the page shows the name, of two a menu",
  withModels("digits", "mnist-28"),
  async (page, origin) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await loadStubbed(page, origin);
    await page.selectOption("#model-menu select", "mnist-28");
    await waitForText(page, "#model-line", /^mnist-28\.safetensors: /);
    assert.equal(await page.inputValue("#model-menu select"), "mnist-28");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await picture(page, "menu-phone");
    await page.route("**/models.json", (route) => route.fulfill({ json: ["digits"] }));
    await page.reload();
    await waitForText(page, "#model-menu", /^Model: digits$/);
    assert.equal(await page.locator("#model-menu select").count(), 0);
  },
);

browserTest(
  "before there is a model no chart has axes; the page has one main landmark",
  withModels("slow"),
  async (page, origin) => {
    page.setDefaultTimeout(60_000);
    await stubWorkers(page);
    await page.goto(`${origin}/`);
    await waitForText(page, "#open-status", /^Opening slow/);
    for (const tab of ["sample", "draw", "train"]) {
      await page.click(`#tab-${tab}`);
      await page.waitForTimeout(100);
      assert.deepEqual(await ruledCharts(page, tab), [], tab);
      await picture(page, `no-model-${tab}`);
    }
    assert.deepEqual(await outline(page), { main: 1, headings: ["1 sada-jem"] });
    await page.addInitScript(() => Object.defineProperty(navigator, "gpu", { value: undefined }));
    await page.reload();
    await waitForText(page, "#help-reason", /This browser does not offer it/);
    assert.deepEqual(await outline(page), {
      main: 1,
      headings: ["1 sada-jem", "2 This page needs WebGPU"],
    });
    assert.ok(await page.locator("main").isVisible());
  },
);

/** Charts of a panel that show a line through most of their width. */
function ruledCharts(page: Page, panel: string): Promise<string[]> {
  return page.evaluate((panel) => {
    const charts = document.querySelectorAll<HTMLCanvasElement>(`#${panel} canvas.chart`);
    return [...charts].filter((canvas) => {
      if (canvas.clientWidth === 0) return false;
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
      const inked = (y: number) =>
        Array.from({ length: width }, (_, x) => data[4 * (y * width + x) + 3]! > 0).filter(Boolean).length;
      return Array.from({ length: height }, (_, y) => inked(y)).some((count) => count > 0.6 * width);
    }).map(({ id }) => id);
  }, panel);
}

/** Landmarks and headings as assistive technology sees them. */
async function outline(page: Page): Promise<{ main: number; headings: string[] }> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const exposed = nodes.filter(({ ignored }) => !ignored);
  const headings = exposed.filter(({ role }) => role?.value === "heading").map(({ name, properties }) => {
    const level = properties?.find((property) => String(property.name) === "level");
    return `${level?.value.value} ${name?.value}`;
  });
  return { main: exposed.filter(({ role }) => role?.value === "main").length, headings };
}
