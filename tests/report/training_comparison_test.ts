import assert from "node:assert/strict";
import { trainingComparison } from "../../src/report/training_comparison.ts";
import { MetricsReader } from "../../src/train/run/metrics_reader.ts";
import type { TrainedRun } from "../../src/train/run/trained_run.ts";

/** A run whose loss is its iteration, with a test after every hundredth iteration. */
function trained(name: string, iterations: number, secondsEach = 1, set = "test"): TrainedRun {
  const metrics = new MetricsReader({ mostBuckets: 2 ** 15 });
  for (let iteration = 0; iteration < iterations; iteration++) {
    const seconds = (iteration + 1) * secondsEach;
    metrics.push(`${JSON.stringify({ iteration, seconds, loss: iteration })}\n`);
    if (iteration % 100 === 99) {
      metrics.push(`${JSON.stringify({ iteration, seconds, set, testAccuracy: 0.5, testLoss: 1 })}\n`);
    }
  }
  return { name, state: "stopped", iterations: null, metrics };
}

/** The points of a plot's lines, in pixels of the axes. */
async function linesOf(runs: readonly TrainedRun[], by: "iteration" | "time", plot = "loss") {
  const { files } = await trainingComparison(runs, by);
  const svg = files.get(`compare_training_${plot}.svg`) as string;
  const paths = [
    ...svg.matchAll(/<path aria-label="([^"]*)"[^>]* d="(M[^"]*)"[^>]*stroke="(#\w+)"([^>]*)>/g),
  ];
  return paths.map(([, label, path, colour, rest]) => ({
    label: label!,
    points: path!.slice(1).split("L").map((point) => point.split(",").map(Number)),
    colour: colour!,
    dash: /stroke-dasharray="([^"]*)"/.exec(rest!)?.[1],
  }));
}

Deno.test("trainingComparison() shows means over common bins, runs of other lengths at their places", async () => {
  const runs = [trained("long", 1000), trained("short", 250)];
  const [long, short] = await linesOf(runs, "iteration");
  assert.equal(long!.points.length, 100);
  assert.equal(short!.points.length, 25);
  // In both runs the loss is the iteration, so they lie on one line.
  const end = short!.points.at(-1)!;
  assert.deepEqual(long!.points[24], end);
  // Iterations 241–250 have the mean 245.5, on an axis of 0–1000 that is 380 pixels wide.
  assert(Math.abs(end[0]! - 0.2455 * 380) < 0.01, String(end));
});

Deno.test("trainingComparison() aligns by time in a fitting unit", async () => {
  const runs = [trained("fast", 400, 10), trained("slow", 200, 40)];
  const { files, section } = await trainingComparison(runs, "time");
  const svg = files.get("compare_training_loss.svg") as string;
  assert.match(svg, /minutes of training/);
  const captions = section.blocks.flatMap((block) => block.kind === "plot" ? block.caption : []);
  assert.equal(captions[0], "training loss, means over 1.3 min");
  const [fast, slow] = await linesOf(runs, "time");
  // 4000 and 8000 of 8000 s, on an axis that Vega rounds up to 140 minutes.
  assert(Math.abs(fast!.points.at(-1)![0]! / slow!.points.at(-1)![0]! - 0.5) < 0.01);
});

Deno.test("trainingComparison() gives each of many runs a look of its own, groups a colour", async () => {
  const looks = async (names: string[]) =>
    (await linesOf(names.map((name) => trained(name, 3)), "iteration")).map((
      { colour, dash },
    ) => [colour, dash ?? ""]);
  const seeds = await looks(["jem-1", "jem-2", "sada-1", "sada-2"]);
  assert.deepEqual(new Set(seeds.map(String)).size, 4);
  assert.deepEqual([seeds[0]![0], seeds[2]![0]], [seeds[1]![0], seeds[3]![0]]);
  assert.notEqual(seeds[0]![0], seeds[2]![0]);
  const many = await looks(Array.from({ length: 12 }, (_, i) => `run${String.fromCharCode(97 + i)}`));
  assert.equal(new Set(many.map(String)).size, 12);
  const one = await looks(["digits-20261130-1", "digits-20261130-2"]);
  assert.notEqual(one[0]![0], one[1]![0], "runs of one group are told apart by colours");
});

Deno.test("trainingComparison() names the runs whose tests are on images held out", async () => {
  const { section, table } = await trainingComparison([
    trained("a", 300),
    trained("b", 200, 1, "validation"),
  ], "iteration");
  const captions = section.blocks.flatMap((block) => block.kind === "plot" ? block.caption : []);
  assert.equal(
    captions.at(-1),
    "accuracy in the tests during training; on training images that were held out: b",
  );
  assert.deepEqual(table[2], ["b", "stopped", "200", "3.3 min", "199.0000", "50.0 % held out after 200"]);
});
