import { decode } from "fast-png";
import { Draw, drawSome } from "../../data/draw.ts";
import { imageGrid } from "../../formats/pictures/image_grid.ts";
import { type ByteImage, encodeApng, encodePng } from "../../formats/pictures/png.ts";
import { generate } from "../../jem/generate.ts";
import { unconditionalScore } from "../../jem/score.ts";
import { type Initialisation, UniformInitialisation } from "../../jem/initialisation.ts";
import { evaluation } from "../../nn/wide_resnet.ts";
import { streamWords } from "../../random/philox.ts";
import { type ChainStart, informativeStart } from "../../train/chain_starts.ts";
import { startReference } from "../../train/reference_start.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { curves } from "../figures.ts";
import { AnswerBuilder, type HistoryPicture, type Question, type Subject } from "../question.ts";

const chains = 20;
const columns = 10;
const steps = 40;
/** Step sizes as fractions of the training's. */
const fractions = [1, 0.1];
const frameDelay = 500;

/** Where do its chains go? The energy along chains from different starts, and the training's samples over time. */
export const sampling: Question = {
  name: "chains",
  async ask(subject, { seed }, progress) {
    const { model, train, checkpoint, dataset: { classNames, height, width, channels } } = subject;
    const { configuration } = checkpoint;
    if (configuration.likelihoodWeight === 0 && subject.history.length === 0) return undefined;
    const { context } = model;
    const stream = context.from(streamWords(seed, 1), [4]);
    const chosen = drawSome(classNames.length, chains, Draw.classes);
    const classes = context.from(
      Uint32Array.from({ length: chains }, (_, i) => chosen[i % chosen.length]!),
      [chains],
    );
    const starts = {
      "informative start": informativeStart(context, checkpoint, () => train),
      "uniform noise": new UniformInitialisation([height, width, channels]),
    };
    const series: Record<string, [number, number][]> = {};
    const report = new AnswerBuilder("Chains");
    let done = 0;
    for (const [start, initialisation] of Object.entries(starts)) {
      for (const fraction of fractions) {
        using images = context.scope(() => initialisation.fresh(stream, classes));
        const stepSize = fraction * (configuration.stepSize || configuration.innerStepSize);
        const name = `${start}, α = ${stepSize}`;
        series[name] = await energiesAlong(
          subject,
          images,
          { start: start === "uniform noise" ? "noise" : "informative", initialisation, stepSize, seed },
          () => progress(++done / (4 * steps)),
        );
        const shape = { count: chains, height, width, channels };
        const png = encodePng(imageGrid(await images.read(), shape, { columns }));
        report.picture(`chain_${Object.keys(series).length}`, png, `After ${steps} steps: ${name}`);
      }
    }
    await report.plot(
      "energies",
      curves(series, { x: "step", y: "mean energy" }),
      "Mean energy E(x) = −log p̃(x) along the chains",
    );
    addHistory(report, subject.history);
    for (const tensor of [stream, classes]) tensor.dispose();
    return report.answer({ steps, chains, energies: series });
  },
};

/** How the chains of a curve start and run. */
interface ChainSettings {
  readonly start: ChainStart;
  readonly initialisation: Initialisation;
  readonly stepSize: number;
  readonly seed: number;
}

/** The mean energy before and after each step of the chains, which end in `images`. */
async function energiesAlong(
  { model, checkpoint }: Subject,
  images: Tensor,
  { start, initialisation, stepSize, seed }: ChainSettings,
  tick: () => void,
): Promise<[number, number][]> {
  const { context } = model;
  const { noiseScale } = checkpoint.configuration;
  const energy = async () => {
    using scores = context.scope(() => model.energyScore(images, evaluation));
    return -(await scores.read()).reduce((sum, score) => sum + score / chains, 0);
  };
  const settings = { start, seed, stepSize, noiseScale, conditional: false, keep: false };
  const reference = await startReference(model, checkpoint, settings, () => Promise.resolve(initialisation));
  const energies: [number, number][] = [[0, await energy()]];
  await generate(
    unconditionalScore(model, reference?.mode),
    images,
    { steps, stepSize, noiseScale, reference },
    (step) => streamWords(seed, step),
    async (step) => {
      energies.push([step + 1, await energy()]);
      tick();
    },
  );
  reference?.destroy();
  return energies;
}

/** The replay buffer's evolution as an animation. Pictures of another size than the last belong to other runs. */
function addHistory(report: AnswerBuilder, history: readonly HistoryPicture[]): void {
  const all = history.map(({ iteration, png }) => {
    const { width, height, channels, data } = decode(png);
    const frame: ByteImage = { width, height, channels: channels === 1 ? 1 : 3, data: Uint8Array.from(data) };
    return { iteration, frame };
  });
  const last = all.at(-1);
  const alike = all.filter(({ frame: { width, height } }) =>
    width === last?.frame.width && height === last.frame.height
  );
  if (!last || alike.length < 2) return;
  report.picture(
    "history",
    encodeApng(alike.map(({ frame }) => frame), frameDelay),
    `The replay buffer from iteration ${
      alike[0]!.iteration
    } to ${last.iteration}, animated: ${alike.length} pictures`,
  );
}
