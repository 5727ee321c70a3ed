import assert from "node:assert/strict";
import { type ReportField, reportFields } from "../../../src/jem/training_step.ts";
import { MetricsFile } from "../../../src/train/run/metrics_file.ts";
import { type ReportRow, rowOf, type TestRow } from "../../../src/train/run/metrics_rows.ts";
import { timeless } from "../../run_files.ts";
import { withFiles } from "../../temporary.ts";

function report(iteration: number): ReportRow {
  const values = Object.fromEntries(reportFields.map((field, i) => [field, iteration + i / 8]));
  return { iteration, seconds: iteration / 4, learningRate: 0.1, ...values as Record<ReportField, number> };
}

const tested = (iteration: number, set: TestRow["set"] = "test"): TestRow => ({
  iteration,
  seconds: iteration / 4 + 0.125,
  set,
  testAccuracy: 0.5,
  testAccuracyInterval: [0.25, 0.75],
  testImages: 20,
  testLoss: 1.5,
  ece: 0.125,
});

const written = (rows: readonly (ReportRow | TestRow)[]) =>
  rows.map((row) => `${rowOf(row).line}\n`).join("");
const lines = (first: number, end: number) =>
  written(Array.from({ length: end - first }, (_, i) => report(first + i)));

/** The contents of a file after it was rewound to iteration 10 with a checkpoint's rows from 4 on, and the messages. */
async function rewound(
  contents: string | Uint8Array,
  kept: string | undefined,
): Promise<{ text: string; said: string[] }> {
  let result = { text: "", said: [] as string[] };
  const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  await withFiles({ "metrics.jsonl": bytes }, async (folder) => {
    const path = `${folder}/metrics.jsonl`;
    const said = await new MetricsFile(path).rewind(10, kept);
    result = { text: await Deno.readTextFile(path), said: said.map((text) => text.replaceAll(path, "FILE")) };
  });
  return result;
}

Deno.test("MetricsFile mends half a line, lost lines, CRLF, duplicates, changed and binary lines, and says so", async () => {
  const all = lines(0, 10);
  const cases: [string, string | Uint8Array, RegExp | undefined][] = [
    ["in order", all, undefined],
    ["rows that are repeated", lines(0, 15), undefined],
    ["half a line", all.slice(0, -20), /1 line could not be read; .*iterations 9 were missing or changed/],
    ["half a line further on", `${lines(0, 12)}{"iteration":12,"learn`, /1 line could not be read$/],
    ["lost lines", lines(0, 5) + lines(8, 10), /iterations 5–7 were missing/],
    ["lost lines at the end", lines(0, 6), /iterations 6–9 were missing/],
    ["CRLF", all.replaceAll("\n", "\r\n"), /10 lines ended as on Windows/],
    ["duplicates", lines(0, 8) + lines(5, 10), /3 rows stood there twice/],
    ["another order", lines(5, 10) + lines(0, 5), undefined],
    ["a changed digit", all.replace('"loss":6', '"loss":7'), /iterations 6 were missing or changed/],
    ["a changed name", all.replace(/("iteration":5,.*?)"loss"/, '$1"lose"'), /1 line could not be read/],
    [
      "binary",
      Uint8Array.of(...new TextEncoder().encode(lines(0, 4)), 0, 255, 254, 10, 128, 10),
      /2 lines could not be read; .*iterations 4–9 were missing/,
    ],
  ];
  for (const [what, contents, message] of cases) {
    const { text, said } = await rewound(contents, timeless(lines(4, 10)));
    // Rows restored from a checkpoint have no times.
    assert.equal(timeless(text), timeless(all), what);
    assert.equal(said.length, message ? 1 : 0, `${what}: ${said}`);
    if (message) assert.match(said[0]!, message, what);
  }
});

Deno.test("MetricsFile names the gaps that a checkpoint cannot fill", async () => {
  const gone = await rewound("", lines(4, 10));
  assert.equal(gone.text, lines(4, 10));
  assert.match(
    gone.said.at(-1)!,
    /^FILE lacks the rows of iterations 0–3, which the checkpoint does not hold/,
  );
  const without = await rewound(lines(0, 2) + lines(3, 5) + lines(6, 10), undefined);
  assert.equal(without.text, lines(0, 2) + lines(3, 5) + lines(6, 10));
  assert.match(without.said[0]!, /^FILE lacks the rows of iterations 2, 5, which/);
});

Deno.test("MetricsFile gives checkpoints the newest rows, the same whether a run was interrupted or not", async () => {
  await withFiles({}, async (folder) => {
    const silent = () => assert.fail("nothing to say");
    const once = new MetricsFile(`${folder}/once.jsonl`);
    for (let i = 0; i < 10_020; i += 60) {
      await once.append(Array.from({ length: 60 }, (_, j) => report(i + j)), silent);
    }
    assert.equal(once.recentBelow(10_020), timeless(lines(20, 10_020)));
    const parts = new MetricsFile(`${folder}/once.jsonl`);
    assert.deepEqual(await parts.rewind(10_010, timeless(lines(10, 10_010))), []);
    await parts.append(Array.from({ length: 10 }, (_, j) => report(10_010 + j)), silent);
    assert.equal(parts.recentBelow(10_020), once.recentBelow(10_020));
    assert.equal(await Deno.readTextFile(`${folder}/once.jsonl`), lines(0, 10_020));
  });
});

Deno.test("MetricsFile keeps tests beside reports, those of its checkpoint and later ones, each once", async () => {
  await withFiles({}, async (folder) => {
    const [path, silent] = [`${folder}/metrics.jsonl`, () => assert.fail("nothing to say")];
    const metrics = new MetricsFile(path);
    const rows = [report(0), report(1), tested(1, "validation"), report(2)];
    await metrics.append(rows, silent);
    const kept = metrics.recentBelow(3);
    assert.equal(kept, timeless(written(rows)));
    // The last test comes after the last checkpoint, and is computed again if the summary is missing.
    await metrics.append([tested(2)], silent);
    const again = new MetricsFile(path);
    assert.deepEqual(await again.rewind(3, kept), []);
    await again.append([{ ...tested(2), seconds: 99 }], silent);
    assert.equal(await Deno.readTextFile(path), written([...rows, tested(2)]));
    assert.equal(again.seconds, 0.625);
    // Going back to iteration 2 keeps the test of the model before that iteration, and training continues from its
    // time.
    assert.deepEqual(await again.rewind(2, undefined), []);
    assert.equal(await Deno.readTextFile(path), written(rows.slice(0, 3)));
    assert.equal(again.seconds, 0.375);
    // A missing test is restored in its place.
    await Deno.writeTextFile(path, written([report(2), report(0), report(1)]));
    const [said] = await again.rewind(3, kept);
    assert.match(said!, /the rows of iterations 1 were missing/);
    const [first, second, test, third] = written(rows).split("\n");
    assert.equal(await Deno.readTextFile(path), `${first}\n${second}\n${timeless(test!)}\n${third}\n`);
  });
});

Deno.test("MetricsFile takes rows without times, of an earlier version, as they are", async () => {
  const old = timeless(lines(0, 10));
  assert.deepEqual(await rewound(old, timeless(lines(4, 10))), { text: old, said: [] });
  assert.deepEqual(await rewound(old, undefined), { text: old, said: [] });
  await withFiles({ "metrics.jsonl": new TextEncoder().encode(old) }, async (folder) => {
    const metrics = new MetricsFile(`${folder}/metrics.jsonl`);
    await metrics.rewind(10, undefined);
    assert.equal(metrics.seconds, 0);
  });
  const { said } = await rewound(lines(0, 10).replace('"seconds":1.25', '"seconds":-1'), undefined);
  assert.match(said[0]!, /1 line could not be read/);
});

Deno.test("MetricsFile waits with its rows while they cannot be written, and mends a file that was taken away", async () => {
  await withFiles({}, async (folder) => {
    const [path, said] = [`${folder}/metrics.jsonl`, [] as string[]];
    const metrics = new MetricsFile(path);
    const append = (iteration: number) => metrics.append([report(iteration)], (text) => said.push(text));
    await Deno.mkdir(path);
    await append(0);
    await append(1);
    assert.equal(said.length, 1);
    assert.match(said[0]!, /^warning: .*metrics\.jsonl: .*; training goes on/);
    await Deno.remove(path);
    await append(2);
    assert.match(said[1]!, /can be written again; nothing is missing/);
    assert.equal(await Deno.readTextFile(path), lines(0, 3));
    // A failed write has left half a line.
    await Deno.writeTextFile(path, '{"iter', { append: true });
    await append(3);
    assert.equal(await Deno.readTextFile(path), lines(0, 4));
    assert.equal(said.length, 2);
    await Deno.remove(path);
    await append(4);
    assert.equal(await Deno.readTextFile(path), lines(0, 5));
    assert.match(said[2]!, /^warning: .* was mended: the rows of iterations 0–4 were missing/);
  });
});
