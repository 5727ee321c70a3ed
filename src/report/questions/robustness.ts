import {
  type Attack,
  attackImages,
  type AttackRecord,
  type Defence,
  PlainDefence,
} from "../../evaluate/attack.ts";
import { PurifyingDefence } from "../../evaluate/purification.ts";
import { imageGrid } from "../../formats/image_grid.ts";
import { encodePng } from "../../formats/png.ts";
import { curves } from "../figures.ts";
import { percent } from "../percent.ts";
import { AnswerBuilder, type Question, type QuestionOptions, type Subject } from "../question.ts";

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
  /** Share unbroken after each step of the attack, by radius. */
  readonly records: Readonly<Record<string, readonly number[]>>;
}

/** Does it withstand attacks? PGD in L∞ and L2 over a range of radii; an image counts as broken if any step breaks it. */
export const robustness: Question = {
  name: "robustness",
  async ask(subject, options, progress) {
    const attacks = linfRadii.length + l2Radii.length + (options.purificationSteps > 0 ? 1 : 0);
    let finished = 0;
    const step = (share: number) => progress((finished + share) / attacks);
    const run = async (norm: Attack["norm"], radius: number) => {
      const record = await attack(subject, options, new PlainDefence(subject.model), norm, radius, step);
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
  const records: Record<string, readonly number[]> = {};
  let pictured: AttackRecord | undefined;
  for (const radius of radii) {
    const record = await run(norm, radius);
    if (points.length === 0) points.push([0, record.accuracies[0]!]);
    const label = norm === "linf" ? Math.round(radius * 255) : radius;
    points.push([label, record.accuracies.at(-1)!]);
    records[label] = record.accuracies;
    if (norm === "linf" && label === shownRadius) pictured = record;
  }
  return [{ norm, points, records }, pictured];
}

async function attack(
  { test }: Subject,
  { attackImages: count, attackSteps: steps, attackRestarts: restarts, seed }: QuestionOptions,
  defence: Defence,
  norm: Attack["norm"],
  radius: number,
  progress: (share: number) => void,
): Promise<AttackRecord> {
  const stepSize = norm === "linf" ? linfStep / 255 : l2Reach * radius / steps;
  return await attackImages(
    test,
    count,
    defence,
    { norm, radius, stepSize, steps, restarts, seed },
    progress,
  );
}

async function attackPurified(subject: Subject, options: QuestionOptions, progress: (share: number) => void) {
  const { seed, purificationSteps: steps, purifiedImages } = options;
  const defence = new PurifyingDefence(subject.model, { ...purification, steps, seed });
  const limited = { ...options, attackImages: purifiedImages };
  const record = await attack(subject, limited, defence, "linf", shownRadius / 255, progress);
  return { steps, images: Math.min(purifiedImages, subject.test.count), accuracies: record.accuracies };
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
  const { attackSteps, attackRestarts } = options;
  const report = new AnswerBuilder("Adversarial robustness").text(
    `${images} test images, ${attackSteps} steps of PGD from ${
      attackRestarts === 1 ? "a random start" : `${attackRestarts} random starts`
    }, ${linfStep}/255 long in L∞ and ${l2Reach}ε/${attackSteps} in L2. Radii are in the units of images in [0, 1]. An ` +
      "image counts as broken if any step misclassifies it.",
  );
  const row = ({ points }: Curve) => points.map(([, accuracy]) => percent(accuracy));
  report.table(["ε · 255", ...linf.points.map(([radius]) => String(radius))], [[
    "accuracy under L∞",
    ...row(linf),
  ]]);
  report.table(["ε", ...l2.points.map(([radius]) => String(radius))], [["accuracy under L2", ...row(l2)]]);
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
        `(${purified.images} images): ${percent(clean)} clean, ${
          percent(last)
        } under attack. The gradient is averaged over ` +
        `${purification.attackReplicas} purifications, and ${purification.verificationReplicas} must agree that an image is broken.`,
    );
    const unbroken = purified.accuracies.slice(1).map((accuracy, step): [number, number] => [step, accuracy]);
    await report.plot(
      "purified_steps",
      curves({ unbroken }, { x: "step", y: "unbroken", yDomain: [0, 1] }),
      `Purified images unbroken after each step, L∞ ε = ${shownRadius}/255`,
    );
  }
  const at = linf.points.find(([radius]) => radius === shownRadius)![1];
  return report.answer({ images, linf, l2, purified }, [[`accuracy, L∞ ${shownRadius}/255`, percent(at)]]);
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
