import assert from "node:assert/strict";
import { outcome, ownErrors, run, start } from "./commands.ts";
import { checkpoints, checkpointsAtLeast, quick } from "./training_runs.ts";
import { reportedIterations, reproducible } from "../run_files.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A run's page of curves is one file that makes no requests, and has a point for each iteration. */
async function assertCurves(path: string, iterations: number): Promise<void> {
  const page = await Deno.readTextFile(`${path}/curves.html`);
  assert.match(page, /content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"/);
  assert.doesNotMatch(page, /<link|<img|<script src|url\(/);
  const [, json] = /<script type="application\/json">([^<]*)<\/script>/.exec(page)!;
  const [{ curves: { loss: [points, , values] } }] = JSON.parse(json!);
  assert.deepEqual(points, Array.from({ length: iterations }, (_, i) => i));
  assert(values.every(Number.isFinite));
  assert(page.length < 100e3, `${page.length} characters`);
}

Deno.test("train: a run that is stopped and resumed leaves the same files, bit for bit, as one in one go", async () => {
  await withFolder(async (folder) => {
    const [whole, parts] = [`${folder}/whole`, `${folder}/parts`];
    const once = await run("train", ...quick, "--iterations", "20", "--run-dir", whole);
    assert.equal(once.status, 0, once.errors);
    const first = await run(
      "train",
      ...quick,
      "--iterations",
      "20",
      "--run-dir",
      parts,
      "--stop-after",
      "10",
    );
    assert.equal(first.status, 0, first.errors);
    assert.match(first.output, /stopped at iteration 10/);
    const second = await run("train", "--resume", "--run-dir", parts);
    assert.equal(second.status, 0, second.errors);
    assert.match(second.output, /resuming .* at iteration 10/);
    for (
      const name of [
        "model.safetensors",
        "checkpoints/00000020.safetensors",
        "samples/00000020.png",
        "metrics.jsonl",
        "config.json",
      ]
    ) {
      assert.deepEqual(
        await reproducible(`${parts}/${name}`),
        await reproducible(`${whole}/${name}`),
        `${name} differs`,
      );
    }
    const rows = await Deno.readTextFile(`${parts}/metrics.jsonl`);
    assert.deepEqual(
      reportedIterations(rows),
      Array.from({ length: 20 }, (_, i) => i),
    );
    for (const path of [whole, parts]) await assertCurves(path, 20);
    const times = rows.trim().split("\n").map((row) => JSON.parse(row).seconds);
    assert(times.every((time, i) => time > 0 && time >= (times[i - 1] ?? 0)), times.join(" "));
    const summary = JSON.parse(await Deno.readTextFile(`${whole}/summary.json`));
    const tests = rows.trim().split("\n").map((row) => JSON.parse(row)).filter((row) =>
      row.set !== undefined
    );
    assert.deepEqual(tests.map(({ iteration, set }) => [iteration, set]).at(-1), [19, "test"]);
    for (const key of ["testAccuracy", "testAccuracyInterval", "testImages", "testLoss", "ece"]) {
      assert.deepEqual(tests.at(-1)[key], summary[key], key);
    }
    for (const key of ["testAccuracy", "testLoss", "ece", "seconds"]) {
      assert(Number.isFinite(summary[key]), key);
    }
    assert.deepEqual([summary.iterations, summary.seed], [20, 7]);
    assert(summary.adapter.length > 0);
    // The adapter did not change.
    assert.doesNotMatch(second.output, /bit for bit/);
    assert.equal(await Deno.readTextFile(`${parts}/adapters.txt`), `${summary.adapter}\n`);

    await Deno.writeTextFile(`${parts}/adapters.txt`, "llvmpipe, by another backend\n");
    const moved = await run("train", "--resume", "--run-dir", parts, "--iterations", "21");
    assert.equal(moved.status, 0, moved.errors);
    assert.match(
      moved.output,
      /^warning: .*computed on llvmpipe, by another backend so far.* not the same bit for bit$/m,
    );
    assert.equal(
      await Deno.readTextFile(`${parts}/adapters.txt`),
      `llvmpipe, by another backend\n${summary.adapter}\n`,
    );
  });
});

Deno.test("train: killed, its last checkpoint cut off, it resumes from the one before; then samples, evaluates", async () => {
  await withFolder(async (folder) => {
    const runDir = `${folder}/run`;
    const process = start("train", ...quick, "--iterations", "100000", "--run-dir", runDir);
    await checkpointsAtLeast(runDir, 2);
    process.kill("SIGKILL");
    await outcome(process);

    const newest = (await checkpoints(runDir)).at(-1)!;
    const bytes = await Deno.readFile(`${runDir}/checkpoints/${newest}`);
    await Deno.writeFile(`${runDir}/checkpoints/${newest}`, bytes.subarray(0, bytes.length / 2));
    const resumed = await run("train", "--resume", "--run-dir", runDir, "--stop-after", "1");
    assert.equal(resumed.status, 0, resumed.errors);
    assert.match(resumed.output, /warning: .*damaged checkpoint.*trying an older one/);

    const out = `${folder}/samples.png`;
    const chain = `${folder}/chain.png`;
    const sampled = await run(
      "sample",
      ...["--model", runDir, "--count", "12", "--steps", "2", "--out", out, "--animate", chain],
    );
    assert.equal(sampled.status, 0, sampled.errors);
    assert.match(sampled.output, /class assigned +images +energy mean/);
    for (const file of [out, chain]) {
      assert.deepEqual((await Deno.readFile(file)).slice(1, 4), new TextEncoder().encode("PNG"));
    }
    const buffer = await run("sample", "--model", runDir, "--init", "buffer", "--steps", "0", "--out", out);
    assert.equal(buffer.status, 0, buffer.errors);
    const noise = await run(
      "sample",
      "--model",
      runDir,
      "--init",
      "noise",
      "--class",
      "3",
      "--steps",
      "1",
      "--out",
      out,
    );
    assert.equal(noise.status, 0, noise.errors);

    const only = ["--only", "classification,calibration", "--json"];
    const evaluated = await run("evaluate", "--model", runDir, ...only);
    assert.equal(evaluated.status, 0, evaluated.errors);
    const { classification: { test, train }, calibration } = JSON.parse(evaluated.output).results;
    assert.deepEqual([test.images, train.images], [360, 1437]);
    assert(test.accuracy >= 0 && test.accuracy <= 1 && calibration.ece20 >= 0);
    assert((await Deno.stat(`${runDir}/evaluation/report.html`)).isFile);
  });
});

Deno.test("train: Ctrl-C saves and exits with status 130; the run directory is locked while it is in use", async () => {
  await withFolder(async (folder) => {
    const runDir = `${folder}/run`;
    const process = start("train", ...quick, "--iterations", "100000", "--run-dir", runDir);
    await checkpointsAtLeast(runDir, 1);
    const second = await run("train", "--resume", "--run-dir", runDir);
    assert.equal(second.status, 1);
    assert.match(ownErrors(second).join(), new RegExp(`in use by another process: ${process.pid}.*, since`));
    await Deno.remove(`${runDir}/lock`);
    const third = await run("train", "--resume", "--run-dir", runDir);
    assert.match(ownErrors(third).join(), /in use by another process/);
    process.kill("SIGINT");
    const { status, output } = await outcome(process);
    assert.equal(status, 130);
    const [, iteration] = /stopped at iteration (\d+)/.exec(output) ?? [];
    assert.equal((await checkpoints(runDir)).at(-1), `${iteration!.padStart(8, "0")}.safetensors`);
  });
});
