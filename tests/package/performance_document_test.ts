import assert from "node:assert/strict";
import { performanceDocument, performancePath } from "../../scripts/performance/document.ts";

const written = await Deno.readTextFile(performancePath);

Deno.test("the tables of docs/performance.md are those of the results in bench/results/", async () => {
  assert(
    written === await performanceDocument(written),
    "docs/performance.md differs from bench/results: ./run docs",
  );
});

Deno.test("a table of docs/performance.md that was changed by hand is written anew", async () => {
  // The first figure in a row of each kind of table.
  for (const row of ["∂ weights 160 @ 32²", "navi31 (AMD RDNA3)", "iteration's buffers"]) {
    const [line] = written.split("\n").filter((line) => line.startsWith(`| ${row}`));
    const figure = /\d+/.exec(line!.split("|")[2]!)![0];
    const changed = line!.replace(`${figure}`, "0");
    assert.notEqual(changed, line);
    assert.equal(await performanceDocument(written.replace(line!, changed)), written);
  }
});

Deno.test("a document without the marks of a table is refused", async () => {
  for (const mark of ["<!-- memory: ./run docs -->", "<!-- end of peers -->"]) {
    await assert.rejects(performanceDocument(written.replace(mark, "")), /docs\/performance\.md has no/);
  }
});
