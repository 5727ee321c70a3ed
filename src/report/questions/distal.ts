import { percent, percentWithin } from "../../evaluate/percent.ts";
import { Draw, drawSome } from "../../data/draw.ts";
import { largestOfRows, softmaxRows } from "../../evaluate/probabilities.ts";
import { wilsonInterval } from "../../evaluate/proportion.ts";
import { imageGrid } from "../../formats/pictures/image_grid.ts";
import { encodePng } from "../../formats/pictures/png.ts";
import { UniformInitialisation } from "../../jem/initialisation.ts";
import { generate } from "../../jem/generate.ts";
import { posteriorScore } from "../../jem/score.ts";
import { evaluation } from "../../nn/wide_resnet.ts";
import { streamWords } from "../../random/philox.ts";
import { AnswerBuilder, intervalNote, type Question } from "../question.ts";

const perClass = 5;
const mostClasses = 10;
const steps = 100;
const stepSize = 1;

/** How does a confident class member look from noise? Ascent of log p(y|x) from uniform noise (JEM, section 5.4). */
export const distal: Question = {
  name: "distalAdversaries",
  async ask({ model, dataset: { height, width, channels, classNames } }, { seed }, progress) {
    const { context, architecture: { classes } } = model;
    const chosen = drawSome(classes, mostClasses, Draw.classes);
    const shown = chosen.length;
    const labels = Uint32Array.from({ length: shown * perClass }, (_, i) => chosen[i % shown]!);
    const targets = context.from(labels, [labels.length]);
    const stream = context.from(streamWords(seed, 0), [4]);
    const images = new UniformInitialisation([height, width, channels]).fresh(stream, targets);
    await generate(
      posteriorScore(model, targets),
      images,
      { steps, stepSize, noiseScale: 0 },
      (step) => streamWords(seed, step),
      (step) => progress((step + 1) / steps),
    );
    using logits = context.scope(() => model.classify(images, evaluation));
    const probabilities = softmaxRows(await logits.read(), classes);
    const { positions, values } = largestOfRows(probabilities, classes);
    const hits = labels.filter((label, i) => positions[i] === label).length;
    const [reached, reachedInterval] = [hits / labels.length, wilsonInterval(hits, labels.length)];
    const confidence = values.reduce((sum, value) => sum + value / values.length, 0);
    const shape = { count: labels.length, height, width, channels };
    const png = encodePng(imageGrid(await images.read(), shape, { columns: shown }));
    for (const tensor of [targets, stream, images]) tensor.dispose();
    const report = new AnswerBuilder("Distal adversaries").text(
      `Images that climb log p(y|x) of a class for ${steps} steps from uniform noise. ${
        percentWithin(reached, reachedInterval)
      } of ${labels.length} reach their class, ` +
        `with a mean confidence of ${
          percent(confidence)
        }. A model whose gradients mean something draws the class. ${intervalNote}`,
    ).picture(
      "distal",
      png,
      `A column for each of ${[...chosen].map((label) => classNames[label]).join(", ")}`,
    );
    return report.answer({ steps, stepSize, images: labels.length, reached, reachedInterval, confidence });
  },
};
