import { decode } from "fast-png";
import assert from "node:assert/strict";
import { comparisonSection, comparisonTable, groupOf } from "../../src/report/comparison.ts";
import { contourPlot } from "../../src/report/contours.ts";
import { confusionFigure, curves, histograms, reliabilityDiagram } from "../../src/report/figures.ts";
import { reportPage } from "../../src/report/html.ts";
import { type PlotSpec, rasterise, renderSvg } from "../../src/report/plot.ts";

const bins = Array.from(
  { length: 10 },
  (_, i) => ({
    count: i,
    accuracy: i / 10,
    interval: [i / 20, (i + 5) / 15] as const,
    confidence: (i + 0.5) / 10,
  }),
);
const directions = { first: "first direction", second: "second direction", value: "loss" };
const figures: Record<string, [PlotSpec, RegExp]> = {
  reliabilityDiagram: [reliabilityDiagram({ value: 0.1, maximum: 0.2, bins }), /confidence/],
  confusionFigure: [confusionFigure([[3, 1], [0, 7]], ["cat", "dog"]), /dog/],
  curves: [curves({ one: [[0, 1], [1, 2]], two: [[0, 2], [1, 3]] }, { x: "ε", y: "accuracy" }), /accuracy/],
  histograms: [histograms({ a: [1, 2, 3, 3], b: [0, 1, 1] }, "log p̃(x)"), /log p̃\(x\)/],
  contourPlot: [contourPlot([-1, 0, 1], [[1, 2, 3], [4, 5, 6], [7, 8, 9]], directions), /second direction/],
};

for (const [name, [spec, text]] of Object.entries(figures)) {
  Deno.test(`${name}() draws an SVG with its labels, and a PNG that is not empty`, async () => {
    const svg = await renderSvg(spec);
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.match(svg, text);
    assert.doesNotMatch(svg, /NaN|undefined|<script/);
    const { width, height, data } = decode(await rasterise(svg));
    assert(width > 400 && height > 300 && new Set(data).size > 10);
  });
}

Deno.test("confusionFigure() keeps the classes in their order, whatever is taken for what", async () => {
  const svg = await renderSvg(confusionFigure([[0, 0, 5], [4, 0, 0], [0, 3, 0]], ["ant", "bee", "cow"]));
  const names = [...svg.matchAll(/>(ant|bee|cow)<\/text>/g)].map(([, name]) => name);
  assert.deepEqual(names, ["ant", "bee", "cow", "ant", "bee", "cow"]);
});

Deno.test("reportPage() is one file that needs nothing else, and escapes what it shows", () => {
  const page = reportPage({
    title: "<b>",
    subtitle: "a & b",
    key: [["accuracy", "99 %"]],
    sections: [{
      title: "One",
      blocks: [
        { kind: "text", text: "<script>" },
        { kind: "table", table: { head: ["", "x"], rows: [["row", "1 < 2"]] } },
        { kind: "plot", svg: "<svg></svg>", caption: "plot" },
        { kind: "picture", png: Uint8Array.of(1, 2, 3), caption: '"picture"' },
      ],
    }],
  });
  assert.match(page, /<title>&lt;b&gt;<\/title>/);
  assert.match(page, /<p>&lt;script&gt;<\/p>/);
  assert.match(page, /<td>1 &lt; 2<\/td>/);
  assert.match(page, /src="data:image\/png;base64,AQID" alt="&quot;picture&quot;"/);
  assert.match(page, /prefers-color-scheme: dark/);
  assert.doesNotMatch(page, /<script|https?:|<link/);
});

Deno.test("comparisonTable() groups runs by their names, with means and deviations", () => {
  const run = (name: string, accuracy: number) => ({
    name,
    results: {
      classification: { test: { accuracy, loss: 1 } },
      robustness: { linf: { records: { 8: [1, 0.5, 0.25] } } },
    },
  });
  const { head, rows, warnings } = comparisonTable([
    run("jem-1", 0.9),
    run("mnist-28", 0.8),
    run("jem-2", 0.92),
  ]);
  assert.deepEqual(head, ["", "jem (2)", "mnist-28"], "a single run keeps its whole name");
  assert.deepEqual(rows.find(([name]) => name === "test accuracy"), [
    "test accuracy",
    "91.0 % ± 1.41 %",
    "80.0 %",
  ]);
  assert.deepEqual(rows.find(([name]) => name?.startsWith("accuracy, L∞ 8")), [
    "accuracy, L∞ 8/255",
    "25.0 % ± 0.00 %",
    "25.0 %",
  ]);
  assert(!rows.some(([name]) => name === "sharpness"), "what no run has is left out");
  assert.deepEqual(warnings, []);
  assert.deepEqual(["a-12", "a", "k5_3"].map(groupOf), ["a", "a", "k5"]);
});

/** An evaluation on some test images, with an attack of some steps on part of them. */
function attacked(name: string, { images = 100, steps = 50, testImages = 360, accuracy = 0.5 } = {}) {
  return {
    name,
    data: { name: "digits", testImages, testChecksum: "0" },
    results: {
      classification: { test: { accuracy: 0.9, accuracyInterval: [0.86, 0.93] } },
      robustness: {
        images,
        attackOrder: "drawn",
        attackSteps: steps,
        attackRestarts: 1,
        linf: {
          points: [[0, 1], [8, accuracy]],
          intervals: [[0.9, 1], [0.4, 0.6]],
          records: { 8: [1, accuracy] },
        },
      },
    },
  };
}

Deno.test("comparisonTable() shows intervals, and marks figures of other budgets and data", () => {
  const same = comparisonTable([attacked("a"), attacked("b", { accuracy: 0.25 })]);
  assert.deepEqual(same.warnings, []);
  assert.deepEqual(same.rows, [
    ["test accuracy", "90.0 % (86.0–93.0)", "90.0 % (86.0–93.0)"],
    ["accuracy, L∞ 8/255", "50.0 % (40.0–60.0)", "25.0 % (40.0–60.0)"],
  ]);

  const other = comparisonTable([attacked("a"), attacked("b", { images: 40, steps: 10 })]);
  assert.deepEqual(other.rows.map(([name]) => name), ["test accuracy", "accuracy, L∞ 8/255 ≠"]);
  assert.deepEqual(other.warnings, [
    "not comparable (≠): accuracy, L∞ 8/255; they differ in attacked images: 100 (a), 40 (b); attack steps: 50 (a), 10 (b)",
  ]);

  const { rows, warnings } = comparisonTable([
    attacked("jem-1"),
    attacked("jem-2", { steps: 10 }),
    attacked("sada", { testImages: 300 }),
  ]);
  assert.deepEqual(rows, [
    ["test accuracy ≠", "90.0 % ± 0.00 %", "90.0 % (86.0–93.0)"],
    ["accuracy, L∞ 8/255 ≠", "not comparable", "50.0 % (40.0–60.0)"],
  ]);
  assert.equal(
    warnings[0],
    "not comparable (≠): test accuracy; they differ in test images: 360 (jem-1, jem-2), 300 (sada)",
  );

  const old = { name: "old", results: attacked("old").results };
  assert.match(
    comparisonTable([old, attacked("new")]).warnings[0]!,
    /data set: not stated \(old\), digits \(new\)/,
  );
});

Deno.test("comparisonTable() marks distances in features of different models", () => {
  const generated = (name: string, featuresOf: string) => ({
    name,
    results: { generation: { frechetClassifierDistance: 1, featuresOf, images: 5 } },
  });
  assert.deepEqual(comparisonTable([generated("a", "referee"), generated("b", "referee")]).warnings, []);
  assert.match(
    comparisonTable([generated("a", "the model itself"), generated("b", "the model itself")]).warnings[0]!,
    /Fréchet distance in own features; they differ in features: a itself \(a\), b itself \(b\)/,
  );
});

/** An evaluation whose samples were compared with their neighbours in a space. */
function compared(name: string, space: string, images = 1000) {
  const figure = (value: number) => ({ value, interval: [value - 0.1, value + 0.05] });
  const samples = {
    precision: figure(0.8),
    recall: figure(0.5),
    density: figure(1.25),
    coverage: figure(0.75),
  };
  const fidelity = { space, neighbours: 5, images, realImages: 360, samples, training: samples };
  const memorisation = { space, images, heldOutImages: 360, nearer: 0.3, interval: [0.25, 0.35] };
  return {
    name,
    data: { name: "digits" },
    results: { generation: { images, origin: "entries", fidelity, memorisation } },
  };
}

Deno.test("comparisonTable() shows figures by nearest neighbours with their intervals, beside files without them", () => {
  const old = { name: "old", results: { generation: { images: 1000, inception: { fid: 12.345 } } } };
  const { rows, warnings } = comparisonTable([compared("a", "pixels"), compared("b", "pixels"), old]);
  assert.deepEqual(warnings, []);
  assert.deepEqual(rows, [
    ["FID", "–", "–", "12.35"],
    ["precision", "80.0 % (70.0–85.0)", "80.0 % (70.0–85.0)", "–"],
    ["recall", "50.0 % (40.0–55.0)", "50.0 % (40.0–55.0)", "–"],
    ["density", "1.25 (1.15–1.30)", "1.25 (1.15–1.30)", "–"],
    ["coverage", "75.0 % (65.0–80.0)", "75.0 % (65.0–80.0)", "–"],
    ["sample nearer to training than a test image", "30.0 % (25.0–35.0)", "30.0 % (25.0–35.0)", "–"],
  ]);
  const own = "features of the model itself";
  const [warning] = comparisonTable([compared("a", own), compared("b", own, 500)]).warnings;
  assert.equal(
    warning,
    "not comparable (≠): precision, recall, density, coverage, sample nearer to training than a test image; they " +
      "differ in space: features of a itself (a), features of b itself (b); compared samples: 1000 (a), 500 (b)",
  );
});

Deno.test("contourPlot() draws each level where linear interpolation puts it, the second direction upwards", () => {
  // Values are 2^(x + 2y). At equal ratios, contours of the exact function are the lines x + 2y = const.
  const coordinates = Array.from({ length: 41 }, (_, i) => i / 20 - 1);
  const rows = coordinates.map((y) => coordinates.map((x) => 2 ** (x + 2 * y)));
  const { layer: [areas] } = contourPlot(coordinates, rows, directions) as unknown as {
    layer: {
      data: { values: { level: number; geometry: { coordinates: [number, number][][][] } }[] };
      height: number;
    }[];
  };
  const shapes = areas!.data.values;
  assert.equal(shapes.length, 12);
  shapes.forEach(({ level, geometry }, k) => {
    assert(Math.abs(Math.log2(level) - (-3 + 6 * k / 12)) < 1e-9);
    let inside = 0;
    for (const [px, py] of geometry.coordinates.flat(2)) {
      const [x, y] = [px / 140 - 1, 1 - py / 140];
      assert(Math.abs(x) <= 1 && Math.abs(y) <= 1);
      if (Math.abs(x) > 0.97 || Math.abs(y) > 0.97) continue;
      inside++;
      assert(Math.abs(x + 2 * y - Math.log2(level)) < 0.01, `level ${level} passes (${x}, ${y})`);
    }
    assert(k === 0 || inside > 10);
  });
});

Deno.test("comparisonTable() has every set that any run was told apart from, and FID where it was computed", () => {
  const auroc = (value: number) => ({ logDensity: { auroc: value } });
  const one = { name: "one", results: { outOfDistribution: { svhn: auroc(0.9), faces: auroc(0.25) } } };
  const other = {
    name: "other",
    results: { outOfDistribution: { svhn: auroc(0.5) }, generation: { inception: { fid: 12.345 } } },
  };
  assert.deepEqual(comparisonTable([one, other]).rows, [
    ["AUROC by log p̃(x), svhn", "0.900", "0.500"],
    ["AUROC by log p̃(x), faces", "0.250", "–"],
    ["FID", "–", "12.35"],
  ]);
});

Deno.test("comparisonSection() shows the samples of one run of each group", async () => {
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
  const runs = [["jem-1", a], ["jem-2", b], ["softmax", undefined], ["sada", b]] as const;
  const { files, section } = await comparisonSection(
    runs.map(([name, samples]) => ({ name, results: {}, ...(samples && { samples }) })),
  );
  assert.deepEqual([...files], [["compare_samples_1.png", a], ["compare_samples_2.png", b]]);
  const captions = section.blocks.flatMap((block) => block.kind === "picture" ? [block.caption] : []);
  assert.deepEqual(captions, ["Samples by class: jem-1", "Samples by class: sada"]);
});
