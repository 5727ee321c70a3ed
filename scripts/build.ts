/** `deno task build`: the npm package and the examples' pages in `dist/`, and what the package adds to a page. */

import { buildExamples } from "./examples.ts";
import { buildPackage, bundleSize, programs, root } from "./package.ts";

const target = new URL("dist/", root);
await Deno.mkdir(target, { recursive: true });
for (const folder of ["lib", "shaders", "docs"]) {
  await Deno.remove(new URL(folder, target), { recursive: true }).catch(ignoreAbsence);
}
await buildPackage(target);
await Deno.mkdir(new URL("examples/", target), { recursive: true });
await buildExamples(new URL("examples/", target));

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9);
const lines = ["imported               minified      gzip"];
for (const [name, program] of Object.entries(programs)) {
  const { minified, gzip } = await bundleSize(target, program);
  lines.push(`${name.padEnd(22)}${kilobytes(minified)} ${kilobytes(gzip)}`);
}
lines.push("dist/ is the package: npm pack ./dist", "dist/examples/ holds pages to be opened in a browser");
// deno-lint-ignore no-console -- this is the command's output
console.log(lines.join("\n"));

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
