import { generate } from "../../src/jem/generate.ts";
import { conditionalScore, unconditionalScore } from "../../src/jem/score.ts";
import { evaluation } from "../../src/nn/wide_resnet.ts";
import { streamWords } from "../../src/random/philox.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { startImages, startingClasses } from "../../src/train/chain_starts.ts";
import { startReference } from "../../src/train/reference_start.ts";
import type { ChainFrame, ChainSettings, LiveSettings } from "./calls.ts";
import type { LoadedModel } from "./loaded_model.ts";

/** Least time between two frames, in milliseconds. Faster chains could not be watched. */
const frameInterval = 33;

/** Chains that can be watched, and changed while they run. The same settings give the images of `./run sample`. */
export class Chains {
  #live: LiveSettings | undefined;
  #segment: AbortController | undefined;

  /** Changes step size and noise after the current step. */
  adjust(live: LiveSettings): void {
    this.#live = live;
    this.#segment?.abort();
  }

  /** Runs chains, with a frame for the start and after each step. Returns the number of steps taken. */
  async run(
    model: LoadedModel,
    settings: ChainSettings,
    report: (frame: ChainFrame) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { context, network, checkpoint } = model;
    const { count, label, start, seed, steps } = settings;
    this.#live = settings;
    const classes = startingClasses(count, checkpoint.images.classNames.length, label);
    using images = await startImages(context, checkpoint, start, classes, seed, () => model.informative());
    using labels = context.from(classes, [count]);
    const reference = await startReference(
      network,
      checkpoint,
      { ...settings, conditional: label !== undefined, keep: false },
      () => model.informative(),
    );
    const mode = reference?.mode;
    const score = label === undefined
      ? unconditionalScore(network, mode)
      : conditionalScore(network, labels, mode);
    const watcher = new Watcher(model, images);
    let step = 0;
    try {
      report(await watcher.frame(step));
      while (step < steps && !signal.aborted) {
        const segment = this.#segment = new AbortController();
        const first = step;
        reference?.resize(this.#live);
        await generate(
          score,
          images,
          {
            ...this.#live,
            ...{ reference, stepsBefore: first, steps: steps - first },
            signal: AbortSignal.any([signal, segment.signal]),
          },
          (later) => streamWords(seed, first + later),
          async () => report(await watcher.frame(++step)),
        );
      }
    } finally {
      watcher.destroy();
      reference?.destroy();
    }
    return step;
  }
}

/** Reads chains back, with their log densities. */
class Watcher {
  readonly #images: Tensor;
  readonly #densities: Tensor;
  readonly #plan;
  #time = 0;

  constructor({ context, network }: LoadedModel, images: Tensor) {
    this.#images = images;
    const densities = this.#densities = context.empty([images.shape[0]!]);
    this.#plan = context.capture(() => densities.copyFrom(network.energyScore(images, evaluation)));
  }

  async frame(step: number): Promise<ChainFrame> {
    const { context } = this.#images;
    context.gpu.run(this.#plan);
    const [images, densities] = await context.read([this.#images, this.#densities]);
    const wait = this.#time + frameInterval - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    this.#time = performance.now();
    return { step, images: images!, densities: densities! };
  }

  destroy(): void {
    this.#plan.destroy();
    this.#densities.dispose();
  }
}
