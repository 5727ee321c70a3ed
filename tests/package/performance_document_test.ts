import assert from "node:assert/strict";
import { performanceDocument, performancePath } from "../../scripts/performance/document.ts";

const written = await Deno.readTextFile(performancePath);

Deno.test("the tables of docs/performance.md are those of the results in bench/results/", async () => {
  assert(
    written === await performanceDocument(written),
    "docs/performance.md differs from bench/results: deno task docs",
  );
});

Deno.test("a table of docs/performance.md that was changed by hand is written anew", async () => {
  for (
    const [figure, other] of [["21,827 / –", "27 / –"], ["94 %, 156", "99 %, 156"], ["6,284", "284"]] as const
  ) {
    assert(written.includes(figure), figure);
    assert.equal(await performanceDocument(written.replace(figure, other)), written);
  }
});

Deno.test("a document without the marks of a table is refused", async () => {
  for (const mark of ["<!-- memory: deno task docs -->", "<!-- end of peers -->"]) {
    await assert.rejects(performanceDocument(written.replace(mark, "")), /docs\/performance\.md has no/);
  }
});
