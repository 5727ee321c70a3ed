import { build, stop } from "esbuild";
import { fileURLToPath } from "node:url";
import license from "uplot/LICENSE" with { type: "text" };
import { denoPackages } from "./packages.ts";
import { curvesScriptSource } from "./scripts.ts";

const root = new URL("../../", import.meta.url);

/** Path of the script. Training writes it into its page of curves, and cannot bundle it. */
export const curvesScriptPath: URL = new URL("src/report/curves/script.js", root);

/**
 * The script that draws the curves of trainings, including uPlot, as one classic script for pages.
 * @throws {Error} with esbuild's messages if the sources do not compile.
 */
export async function curvesScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(curvesScriptSource, root))],
    bundle: true,
    format: "iife",
    minify: true,
    // Pages have it in an element of their own, which this would end.
    supported: { "inline-script": false },
    target: "es2022",
    plugins: [denoPackages],
    logLevel: "silent",
    write: false,
  });
  await stop();
  const notice = license.trim().replaceAll(/\r?\n/g, "\n");
  return `/* Written by "./run curves" from web/curves/.\n\nuPlot\n\n${notice}\n*/\n${outputFiles[0]!.text}`;
}
