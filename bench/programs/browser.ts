/**
 * Times an SGLD step of the digits model at batch 64, in Chromium and in Deno by turns, both on SwiftShader, the
 * software adapter bundled with Chromium. SWIFTSHADER names the description of its Vulkan driver if it is not where
 * Debian puts it.
 */

import { build, stop } from "esbuild";
import { fileURLToPath } from "node:url";
import { print } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { withPage } from "../../tests/browser/chromium.ts";
import { denoPackages } from "../../web/tools/packages.ts";
import { bench } from "../lib/bench.ts";
import type { SgldTimes } from "../lib/sgld_steps.ts";
import { median } from "../lib/statistics.ts";

/** Each runs once in every turn, so that a busy machine slows both. */
const turns = 3;
const model = new URL("../../data/models/digits.safetensors", import.meta.url);
const path = (name: string) => fileURLToPath(new URL(`../lib/${name}`, import.meta.url));
const driver = Deno.env.get("SWIFTSHADER") ?? "/usr/lib/chromium/vk_swiftshader_icd.json";

async function inDeno(): Promise<SgldTimes> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", path("sgld_steps_deno.ts"), fileURLToPath(model)],
    env: { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver },
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`Deno on ${driver}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function inChromium(script: Uint8Array<ArrayBuffer>): Promise<SgldTimes> {
  let times: SgldTimes | undefined;
  const content = async (name: string) => {
    if (name === "/model") return new Response(await Deno.readFile(model));
    if (name === "/script.js") {
      return new Response(script, { headers: { "content-type": "text/javascript" } });
    }
    return new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
  };
  await withPage(content, async (page, origin) => {
    await page.goto(`${origin}/`);
    times = await page.evaluate(async (url) => {
      const { timeSgldSteps } = await import(`${url}/script.js`);
      return await timeSgldSteps(new Uint8Array(await (await fetch(`${url}/model`)).arrayBuffer()));
    }, origin);
  });
  return times!;
}

async function bundled(): Promise<Uint8Array<ArrayBuffer>> {
  const { outputFiles } = await build({
    entryPoints: [path("sgld_steps.ts")],
    bundle: true,
    format: "esm",
    target: "es2022",
    loader: { ".wgsl": "text" },
    plugins: [denoPackages],
    write: false,
  });
  await stop();
  return new Uint8Array(outputFiles[0]!.contents);
}

await bench("browser", async () => {
  const script = await bundled();
  const deno: SgldTimes[] = [];
  const chromium: SgldTimes[] = [];
  for (let turn = 0; turn < turns; turn++) {
    deno.push(await inDeno());
    chromium.push(await inChromium(script));
  }
  const middle = (results: readonly SgldTimes[]) =>
    median(results.flatMap(({ milliseconds }) => milliseconds));
  const row = (name: string, results: readonly SgldTimes[]) => [
    name,
    results[0]!.adapter,
    middle(results).toFixed(1),
    median(results.map(({ firstStep }) => firstStep)).toFixed(1),
  ];
  const text = table([
    ["SGLD step, batch 64", "adapter", "median ms", "first step, s"],
    row("Deno", deno),
    row("Chromium", chromium),
  ]);
  const ratio = (middle(chromium) / middle(deno)).toFixed(2);
  print(`${text}\nChromium takes ${ratio} times as long as Deno`);
});
