import * as esbuild from "esbuild";
import { fileURLToPath } from "node:url";
import type { Content } from "./chromium.ts";

/** A page, `/`, whose only script is a TypeScript module with everything that it imports. */
export async function scriptPage(module: URL): Promise<Content> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [fileURLToPath(module)],
    bundle: true,
    format: "esm",
    target: "es2022",
    loader: { ".wgsl": "text" },
    write: false,
  });
  await esbuild.stop();
  const script = outputFiles[0]!.text;
  return (path) =>
    path === "/script.js"
      ? new Response(script, { headers: { "content-type": "text/javascript" } })
      : new Response('<!doctype html><script type="module" src="/script.js"></script>', {
        headers: { "content-type": "text/html; charset=utf-8" },
      });
}
