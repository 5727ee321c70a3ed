/** The script that is kept beside the sources, since training cannot bundle it. */

import assert from "node:assert/strict";
import { curvesScript, curvesScriptPath } from "../../web/tools/curves_script.ts";

Deno.test("the script of the curves is what web/curves/ compiles to, with uPlot's licence", async () => {
  const kept = await Deno.readTextFile(curvesScriptPath);
  assert.equal(kept, await curvesScript(), 'out of date; "./run curves" writes it anew');
  assert.match(kept, /Copyright \(c\) 2022 Leon Sorokin[^]*WITHOUT WARRANTY OF ANY KIND/);
  // A page carries it in an element, which these would end or change.
  assert.doesNotMatch(kept, /<\/script|<!--|<script/i);
});
