// A joint energy-based model of the bundled digits, trained by SADA-JEM: one network that learns to read and to draw them.
// It leaves a hundred of its chains in samples.png and itself in jem.safetensors. A number behind the command is the number
// of iterations; the 120 that it takes without take about a minute on two CPU cores. To run it:
//     deno run --allow-read=data --allow-write=samples.png,jem.safetensors examples/train.ts
import * as jem from "sada-jem";

const iterations = Number(Deno.args[0] ?? 120);
if (!(iterations > 0)) throw new RangeError(`${Deno.args[0]} iterations`);
const [seed, batch, entries, classes] = [1, 64, 1000, 10];
const context = new jem.Context(await jem.Gpu.request());
const digits = await jem.loadDigits(await Deno.readFile("data/digits/digits.csv.gz"));
const images = new jem.DeviceImages(context, digits, digits.train);
const testImages = new jem.DeviceImages(context, digits, digits.test);
// p(y|x) is the softmax of the network's logits; log p(x), but for a constant, is their logsumexp.
const model = new jem.WideResNet(context, { depth: 10, width: 1, classes, channels: 1, imageSize: 8 }, seed);
// Chains start at Gaussians that are fitted to the classes, or where earlier ones ended; each takes five steps.
const start = new jem.InformativeInitialisation(context, images, images.labels, classes);
const buffer = new jem.ReplayBuffer(context, entries, images.shape);
const inTurn = context.from(Uint32Array.from({ length: entries }, (_, i) => i % classes), [entries]);
buffer.fill(0, start.fresh(context.from(jem.streamWords(seed, 0), [4]), inTurn));
const sgld = { steps: 5, stepSize: 1, noiseScale: 0, gradientClamp: 1 };
const sampler = new jem.Sampler(model, buffer, start, sgld, jem.training);
// SAM climbs from θ before the gradient is taken that SGD descends along. The loss is −log p(x) − log p(y|x).
const sgd = new jem.Sgd(context, model.parameters, { momentum: 0.9, weightDecay: 5e-4 });
const step = new jem.TrainingStep(
  model,
  new jem.SharpnessAware(model.parameters, sgd, { rho: 2, adaptive: true }),
);
// An iteration is recorded once, then run with other inputs. The images of the likelihood are not augmented.
const inputs = new jem.IterationInputs(context, batch, batch);
const parts = { ...inputs.parts, status: context.zeros([4], "uint32") };
const iteration = context.capture(() => {
  const real = images.expand(parts.likelihoodIndices);
  const labelled = images.expand(parts.labelledIndices, { padding: 1, crops: parts.labelledCrops });
  step.record({ real, labelled, labels: parts.labels, draw: () => sampler.draw(parts) }, parts);
});
const order = (purpose: number) => new jem.BatchOrder(seed, purpose, images.labels.map((_, i) => i), batch);
const orders = [order(jem.Purpose.likelihoodOrder), order(jem.Purpose.labelledOrder)] as const;
const rates = { learningRate: 0.1, warmup: 40, decayRate: 0.2, decayIterations: [90, 110] };
for (let t = 1; t <= iterations; t++) {
  const [likelihoodIndices, labelledIndices] = [orders[0].at(t), orders[1].at(t)];
  const crops = new jem.RandomStream(seed, jem.Purpose.labelledCrop, t);
  inputs.upload({
    stream: jem.streamWords(seed, t),
    schedule: [jem.learningRateAt(rates, t), 1, 1, 0],
    ...{ likelihoodIndices, labelledIndices, labels: labelledIndices.map((i) => images.labels[i]!) },
    labelledCrops: jem.drawCrops(crops, batch, { padding: 1, flip: false }),
    ...jem.drawReplay({ seed, iteration: t, batch, entries, classes, reinitProbability: 0.05 }),
  });
  await context.gpu.runAtPace(iteration);
  if (t % 20 > 0 && t < iterations) continue;
  const { loss, realScore, generatedScore } = jem.reportValues(await step.report.read());
  const energies = `E(real) ${(-realScore).toFixed(2)}, E(generated) ${(-generatedScore).toFixed(2)}`;
  const accuracy = (100 * (await jem.testModel(model, testImages)).testAccuracy).toFixed(1);
  // deno-lint-ignore no-console -- this is the program's output
  console.log(`${t}: loss ${loss.toFixed(3)}, ${energies}, test accuracy ${accuracy} %`);
}
const pictured = (await buffer.images.read()).subarray(0, 100 * 64);
await Deno.writeFile("samples.png", jem.encodePng(jem.imageGrid(pictured, { count: 100, ...digits })));
await Deno.writeFile("jem.safetensors", await jem.serializeModel(model, buffer));
