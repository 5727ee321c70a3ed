import { intervalText, percent, percentWithin } from "../../evaluate/percent.ts";
import type { DeviceImages } from "../../data/device_images.ts";
import { Draw, stratifiedDraw } from "../../data/draw.ts";
import {
  type Attack,
  attackImages,
  type AttackRecord,
  type Defence,
  PlainDefence,
} from "../../evaluate/attack.ts";
import { type Interval, shareInterval } from "../../evaluate/proportion.ts";
import { PurifyingDefence } from "../../evaluate/purification.ts";
import { imageGrid } from "../../formats/pictures/image_grid.ts";
import { encodePng } from "../../formats/pictures/png.ts";
import { curves } from "../figures.ts";
import {
  AnswerBuilder,
  type AttackOrder,
  intervalNote,
  keyProportion,
  type Question,
  type QuestionOptions,
  type Subject,
} from "../question.ts";

/** Radii of the L∞ balls in 255ths, those of the official evaluation. */
const linfRadii = [1, 2, 4, 8, 12, 16, 22, 30];
/** Length of an L∞ step in 255ths, the official one. */
const linfStep = 2;
/** Radii of the L2 balls. */
const l2Radii = [0.25, 0.5, 1, 1.5, 2];
/** The radius of the pictures and of the attack on purified images, as in the official configuration. */
const shownRadius = 8;
/** L2 steps are this many radii long, divided by the number of steps (Madry et al.). */
const l2Reach = 2.5;
const shownImages = 40;
/** The noise of a purification, and the replicas of its attack, as in the official configuration. */
const purification = { stepSize: 1, noiseScale: 0.01, attackReplicas: 15, verificationReplicas: 150 };

interface Curve {
  readonly norm: Attack["norm"];
  /** Accuracy over the radius; radius 0 is the clean accuracy. */
  readonly points: readonly (readonly [number, number])[];
  /** 95 % interval of the accuracy at each point. */
  readonly intervals: readonly Interval[];
  /** Share unbroken after each step of the attack, by radius. */
  readonly records: Readonly<Record<string, readonly number[]>>;
}

/** Does it withstand attacks? PGD in L∞ and L2 over a range of radii; an image counts as broken if any step breaks it. */
export const robustness: Question = {
  name: "robustness",
  async ask(subject, options, progress) {
    const attacks = linfRadii.length + l2Radii.length + (options.purificationSteps > 0 ? 1 : 0);
    const plain = new PlainDefence(subject.model);
    let finished = 0;
    const step = (share: number) => progress((finished + share) / attacks);
    const run = async (norm: Attack["norm"], radius: number) => {
      const record = await attack(subject, options, () => plain, norm, radius, step);
      finished++;
      return record;
    };
    const [linf, pictured] = await curve(run, "linf", linfRadii.map((radius) => radius / 255));
    const [l2] = await curve(run, "l2", l2Radii);
    const purified = options.purificationSteps > 0 ? await attackPurified(subject, options, step) : undefined;
    return await write(subject, options, linf, l2, pictured, purified);
  },
};

async function curve(
  run: (norm: Attack["norm"], radius: number) => Promise<AttackRecord>,
  norm: Attack["norm"],
  radii: readonly number[],
): Promise<[Curve, AttackRecord | undefined]> {
  const points: [number, number][] = [];
  const intervals: Interval[] = [];
  const records: Record<string, readonly number[]> = {};
  let pictured: AttackRecord | undefined;
  for (const radius of radii) {
    const record = await run(norm, radius);
    const label = norm === "linf" ? Math.round(radius * 255) : radius;
    const add = (at: number, accuracy: number) => {
      points.push([at, accuracy]);
      intervals.push(shareInterval(accuracy, record.defended.length));
    };
    if (points.length === 0) add(0, record.accuracies[0]!);
    add(label, record.accuracies.at(-1)!);
    records[label] = record.accuracies;
    if (norm === "linf" && label === shownRadius) pictured = record;
  }
  return [{ norm, points, intervals, records }, pictured];
}

async function attack(
  { test, communicator }: Subject,
  { attackImages: count, attackOrder, attackSteps: steps, attackRestarts: restarts, seed }: QuestionOptions,
  defenceOf: (first: number) => Defence,
  norm: Attack["norm"],
  radius: number,
  progress: (share: number) => void,
): Promise<AttackRecord> {
  const stepSize = norm === "linf" ? linfStep / 255 : l2Reach * radius / steps;
  const indices = attacked(test, count, attackOrder);
  return await attackImages(
    test,
    indices,
    defenceOf,
    { norm, radius, stepSize, steps, restarts, seed },
    { communicator, progress: (done) => progress(done / indices.length) },
  );
}

/** Which test images are attacked. A larger number always includes the images of a smaller one. */
function attacked({ labels, count }: DeviceImages, wanted: number, order: AttackOrder): Uint32Array {
  return order === "drawn"
    ? stratifiedDraw(labels, wanted, Draw.attack)
    : Uint32Array.from({ length: Math.min(wanted, count) }, (_, i) => i);
}

async function attackPurified(subject: Subject, options: QuestionOptions, progress: (share: number) => void) {
  const { seed, purificationSteps: steps, purifiedImages } = options;
  const defence = (first: number) =>
    new PurifyingDefence(subject.model, { ...purification, steps, seed, first });
  const limited = { ...options, attackImages: purifiedImages };
  const record = await attack(subject, limited, defence, "linf", shownRadius / 255, progress);
  const { accuracies, defended: { length: images } } = record;
  return {
    steps,
    images,
    ...budgetOf(limited),
    ...purification,
    accuracies,
    cleanInterval: shareInterval(accuracies[0]!, images),
    interval: shareInterval(accuracies.at(-1)!, images),
  };
}

async function write(
  subject: Subject,
  options: QuestionOptions,
  linf: Curve,
  l2: Curve,
  pictured: AttackRecord | undefined,
  purified: Awaited<ReturnType<typeof attackPurified>> | undefined,
) {
  const images = Math.min(options.attackImages, subject.test.count);
  const drawn = options.attackOrder === "drawn" ? "drawn so that each class has its share" : "the first ones";
  const { attackSteps, attackRestarts } = options;
  const report = new AnswerBuilder("Adversarial robustness").text(
    `${images} test images, ${drawn}, ${attackSteps} steps of PGD from ${
      attackRestarts === 1 ? "a random start" : `${attackRestarts} random starts`
    }, ${linfStep}/255 long in L∞ and ${l2Reach}ε/${attackSteps} in L2. Radii are in the units of images in [0, 1]. An ` +
      "image counts as broken if any step misclassifies it.",
  );
  for (const [curve, name, unit] of [[linf, "L∞", "ε · 255"], [l2, "L2", "ε"]] as const) {
    report.table([unit, ...curve.points.map(([radius]) => String(radius))], [
      [`accuracy under ${name}`, ...curve.points.map(([, accuracy]) => percent(accuracy))],
      ["95 % interval (Wilson)", ...curve.intervals.map(intervalText)],
    ], `n = ${images}`);
  }
  const axes = { y: "accuracy", yDomain: [0, 1] as const, points: true };
  await report.plot(
    "pgd_linf",
    curves({ linf: linf.points }, { x: "ε · 255 (L∞)", ...axes }),
    "Accuracy under L∞ attacks",
  );
  await report.plot(
    "pgd_l2",
    curves({ l2: l2.points }, { x: "ε (L2)", ...axes }),
    "Accuracy under L2 attacks",
  );
  const steps = Object.entries(linf.records).map(([radius, accuracies]): [string, [number, number][]] => [
    `ε = ${radius}/255`,
    accuracies.slice(1).map((accuracy, step) => [step, accuracy]),
  ]);
  await report.plot(
    "pgd_steps",
    curves(Object.fromEntries(steps), { x: "step", y: "unbroken", yDomain: [0, 1] }),
    "Images unbroken after each step, L∞",
  );
  if (pictured) {
    report.picture("adversarial", picture(subject, pictured), `Attacked images, L∞ ε = ${shownRadius}/255`);
  }
  if (purified) {
    const [clean, last] = [purified.accuracies[0]!, purified.accuracies.at(-1)!];
    report.text(
      `Behind purification by ${purified.steps} steps of SGLD, attacked by BPDA + EOT with ε = ${shownRadius}/255 ` +
        `(${purified.images} images): ${percentWithin(clean, purified.cleanInterval)} clean, ${
          percentWithin(last, purified.interval)
        } under attack. The gradient is averaged over ` +
        `${purification.attackReplicas} purifications, and ${purification.verificationReplicas} must agree that an image is broken. ${intervalNote}`,
    );
    const unbroken = purified.accuracies.slice(1).map((accuracy, step): [number, number] => [step, accuracy]);
    await report.plot(
      "purified_steps",
      curves({ unbroken }, { x: "step", y: "unbroken", yDomain: [0, 1] }),
      `Purified images unbroken after each step, L∞ ε = ${shownRadius}/255`,
    );
  }
  const place = linf.points.findIndex(([radius]) => radius === shownRadius);
  const [[, accuracy], interval] = [linf.points[place]!, linf.intervals[place]!];
  return report.answer({ images, ...budgetOf(options), linf, l2, purified }, [
    keyProportion(`accuracy, L∞ ${shownRadius}/255`, accuracy, interval, images),
  ]);
}

/** The cost of an attack, on which comparability depends. */
function budgetOf({ attackOrder, attackSteps, attackRestarts }: QuestionOptions) {
  return { attackOrder, attackSteps, attackRestarts };
}

function picture(
  { dataset: { height, width, channels } }: Subject,
  { adversarial }: AttackRecord,
): Uint8Array {
  const pixels = height * width * channels;
  const count = Math.min(shownImages, adversarial.length / pixels);
  return encodePng(
    imageGrid(adversarial.subarray(0, count * pixels), { count, height, width, channels }, { columns: 10 }),
  );
}
