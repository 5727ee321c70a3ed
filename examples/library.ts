// The library on half a page: the bundled model reads digits, and chains climb its density from noise. To run it:
//     deno run --allow-read=data examples/library.ts
// deno-lint-ignore-file no-console -- this is the program's output

import * as jem from "sada-jem";

const context = new jem.Context(await jem.Gpu.request());
const file = await Deno.readFile("data/models/digits.safetensors");
const model = jem.modelFrom(context, await jem.readModelFile(file));
const digits = await jem.loadDigits(await Deno.readFile("data/digits/digits.csv.gz"));
const images = new jem.DeviceImages(context, digits, digits.test).range(0, 10); // [10, 8, 8, 1] in [−1, 1]
const logits = await model.classify(images, jem.evaluation).read(); // [10, 10], row by row
const rows = Array.from({ length: 10 }, (_, i) => logits.subarray(10 * i, 10 * i + 10));
console.log("it reads", ...rows.map((row) => row.indexOf(Math.max(...row))));

const score = jem.unconditionalScore(model); // log p(x) but for a constant: [N, 8, 8, 1] → [N]
const noise = context.from(Float32Array.from({ length: 640 }, () => 2 * Math.random() - 1), [10, 8, 8, 1]);
const options = { steps: 20, stepSize: 0.1, noiseScale: 0, gradientClamp: 1 };
const drawn = jem.sgldChain(score, noise, options);
const [before, after] = await context.read([jem.mean(score(noise)), jem.mean(score(drawn))]);
console.log(`log density ${before![0]!.toFixed(2)} → ${after![0]!.toFixed(2)}`);
