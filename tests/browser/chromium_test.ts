import assert from "node:assert/strict";
import { browserTest } from "./chromium.ts";

const page = () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } });

browserTest("Chromium has a WebGPU adapter", page, async (page, origin) => {
  await page.goto(`${origin}/`);
  const adapter = await page.evaluate(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    return adapter?.info.vendor;
  });
  assert.ok(adapter);
});
