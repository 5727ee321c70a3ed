import { decode } from "fast-png";
import assert from "node:assert/strict";
import { encodePng } from "../../src/formats/pictures/png.ts";
import { withFiles } from "../temporary.ts";
import { run } from "./commands.ts";

const shipped = new URL("../../data/models/digits.safetensors", import.meta.url);

Deno.test("evaluate: answers every question of the digits model in a report; compare puts two side by side", async () => {
  const frame = (grey: number) =>
    encodePng({ width: 20, height: 10, channels: 1, data: new Uint8Array(200).fill(grey) });
  const runFiles = {
    "run/model.safetensors": await Deno.readFile(shipped),
    "run/metrics.jsonl": new TextEncoder().encode('{"iteration":0,"loss":2.5}\ndamaged\n'),
    "run/samples/00000002.png": frame(100),
    "run/samples/00000001.png": frame(50),
    "run/samples/00000010.png": frame(150),
  };
  await withFiles(runFiles, async (folder) => {
    const few = ["--attack-images", "8", "--attack-steps", "2", "--purify", "1", "--purify-images", "2"];
    const rest = ["--generated-images", "60", "--restarts", "2"];
    const models = { "one-1": [], other: ["--model", `${folder}/run`] };
    for (const [name, model] of Object.entries(models)) {
      const out = ["--out", `${folder}/${name}`];
      const { status, output, errors } = await run("evaluate", ...model, ...few, ...rest, ...out);
      assert.equal(status, 0, errors);
      assert.match(output, /test accuracy +99\.2 % +\(95 %: 97\.6–99\.7, n = 360\)/);
      assert.match(output, /accuracy, L∞ 8\/255 .*n = 8\)/);
      assert.match(output, /precision +\d.* % \(\d.*–.*\) +\(training images: .* %.*; in pixels/);
      assert.doesNotMatch(output, /Fréchet/, "a distance in the model's own features is no headline");
      assert.match(output, /wrote .*report\.html, .*results\.json and plots in \d+:/);
    }
    const [plain, ofRun] = await Promise.all(
      ["one-1", "other"].map((name) => Deno.readTextFile(`${folder}/${name}/report.html`)),
    );
    assert.match(
      ofRun!,
      /<h2>Training<\/h2><p>1 line of metrics.jsonl could not be read and is left out\.<\/p>/,
    );
    assert.match(ofRun!, /"curves":\{"loss":\[\[0\],\[null\],\[2.5\]\]\}/);
    assert.doesNotMatch(plain!, /<script|<h2>Training/);
    const { results, description } = JSON.parse(await Deno.readTextFile(`${folder}/other/results.json`));
    assert.match(description, /WRN-10-1, norm batch, K = 5, ρ = 2, on digits \(8×8×1\), 600 iterations/);
    const { classification, calibration, outOfDistribution, robustness, generation, chains, landscape } =
      results;
    assert(Math.abs(classification.test.accuracy - 357 / 360) < 1e-9);
    assert(Math.abs(calibration.ece20 - 0.0548) < 1e-3);
    for (const set of ["interpolations", "uniform noise", "constant images"]) {
      const { logDensity } = outOfDistribution[set];
      assert(logDensity.auroc > 0.5 && logDensity.auroc <= 1 && logDensity.aupr > 0, set);
    }
    const points: [number, number][] = robustness.linf.points;
    assert.deepEqual(points.map(([radius]) => Math.round(radius)), [0, 1, 2, 4, 8, 12, 16, 22, 30]);
    assert.deepEqual(robustness.purified.images, 2);
    assert.deepEqual([robustness.images, robustness.attackSteps, robustness.attackRestarts], [8, 2, 2]);
    assert.equal(robustness.linf.intervals.length, points.length);
    points.forEach(([, accuracy], i) => {
      const [low, high] = robustness.linf.intervals[i];
      assert(0 <= low && low <= accuracy && accuracy <= high && high <= 1 && high - low > 0.3);
    });
    const { fittedOn, images: judgedOn } = calibration.temperatureScaling;
    assert.deepEqual([fittedOn, judgedOn], [180, 180]);
    assert.equal(generation.images, 60);
    assert(generation.frechetClassifierDistance > 0 && generation.inception === undefined);
    const [least, most] = generation.frechetClassifierInterval;
    assert(0 <= least && least < generation.frechetClassifierDistance && most > least);
    const { fidelity, memorisation } = generation;
    assert.deepEqual([fidelity.images, fidelity.realImages, fidelity.neighbours, fidelity.dimension], [
      60,
      360,
      5,
      64,
    ]);
    for (const set of ["samples", "training"]) {
      for (const figure of ["precision", "recall", "density", "coverage"]) {
        const { value, interval: [low, high] } = fidelity[set][figure];
        assert(0 < low && low <= value && value <= high && low < high, `${set}, ${figure}`);
      }
    }
    assert(fidelity.training.density.value > fidelity.samples.density.value && fidelity.buffer === undefined);
    assert(memorisation.nearer < 0.5 && memorisation.medianOfSamples > memorisation.medianOfHeldOut);
    assert.equal(Object.keys(chains.energies).length, 4);
    assert(landscape.sharpness > 0 && landscape.eigenvalue > 0);

    const page = await Deno.readTextFile(`${folder}/other/report.html`);
    for (
      const title of ["Classification", "Calibration", "Out-of-distribution", "robustness", "Loss landscape"]
    ) {
      assert.match(page, new RegExp(`<h2>[^<]*${title}`));
    }
    // Pictures are base64, which may contain any run of letters, and scripts use the word NaN.
    const shown = page.replaceAll(/data:[^"]*|<script>[^]*?<\/script>/g, "");
    assert.doesNotMatch(shown, /NaN|undefined/);
    assert.match(shown, /<\/html>/);
    for (
      const name of [
        "reliability",
        "confusion",
        "log_density",
        "pgd_linf",
        "ascent",
        "plane",
        "energies",
        "nearest_training_images",
      ]
    ) {
      assert(decode(await Deno.readFile(`${folder}/other/${name}.png`)).width > 300, name);
      assert.match(await Deno.readTextFile(`${folder}/other/${name}.svg`), /^<svg/);
    }

    const animation = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/other/history.png`));
    assert.equal(animation.match(/fcTL/g)?.length, 3, "three frames");
    assert.match(page, /The replay buffer from iteration 1 to 10, animated: 3 pictures/);

    const runs = [`${folder}/one-1`, `${folder}/other`];
    const fresh = ["--only", "generation", "--fresh", "30", "--out", `${folder}/fresh`, "--json"];
    const freshly = await run("evaluate", ...fresh);
    assert.equal(freshly.status, 0, freshly.errors);
    const { origin, images, fidelity: both } = JSON.parse(freshly.output).results.generation;
    assert.deepEqual([origin, images], ["fresh chains of 5 steps from informative starts", 30]);
    assert.deepEqual(Object.keys(both).slice(-3), ["samples", "buffer", "training"]);

    const compared = await run("compare", ...runs, "--out", `${folder}/comparison`);
    assert.equal(compared.status, 0, compared.errors);
    assert.match(compared.output, /test accuracy +99\.2 % \(97\.6–99\.7\) +99\.2 % \(97\.6–99\.7\)/);
    assert.match(compared.output, /coverage +\d+\.\d % \(.*–.*\) +\d+\.\d % /);
    assert(await Deno.stat(`${folder}/comparison/compare_samples_2.png`));
    assert.match(await Deno.readTextFile(`${folder}/comparison/report.html`), /compare|Comparison/);
  });
});
