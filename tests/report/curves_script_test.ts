/** The compiled script that is kept with the sources, because training cannot bundle it. */

import assert from "node:assert/strict";
import { curvesScript, curvesScriptPath } from "../../web/tools/curves_script.ts";

Deno.test("the script of the curves is what web/curves/ compiles to, with uPlot's licence", async () => {
  const kept = await Deno.readTextFile(curvesScriptPath);
  assert.equal(kept, await curvesScript(), 'out of date; "./run curves" writes it anew');
  assert.match(kept, /Copyright \(c\) 2022 Leon Sorokin[^]*WITHOUT WARRANTY OF ANY KIND/);
  // The page embeds it in an element. These would end or change the element.
  assert.doesNotMatch(kept, /<\/script|<!--|<script/i);
});
