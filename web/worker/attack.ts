import { attackStep, PlainDefence } from "../../src/evaluate/attack.ts";
import type { AttackFrame, AttackSettings } from "./calls.ts";
import type { LoadedModel } from "./loaded_model.ts";

/**
 * With a step this large, relative to radius / steps, an attack can cross the ball and come back (Madry et al., 2018).
 */
const relativeStep = 2.5;
/** Least time between two frames, in milliseconds. */
const frameInterval = 60;

/** PGD in L∞ against one image, from the image itself, with a frame for the start and after each step. */
export async function attackImage(
  model: LoadedModel,
  { image, label, radius, steps }: AttackSettings,
  report: (frame: AttackFrame) => void,
  signal: AbortSignal,
): Promise<void> {
  const defence = new PlainDefence(model.network);
  const attack = { norm: "linf", radius, stepSize: relativeStep * radius / steps } as const;
  using original = model.upload(image);
  let current = model.upload(image);
  try {
    for (let step = 0; step <= steps && !signal.aborted; step++) {
      const shown = performance.now();
      report({ step, image: await current.read(), ...await model.assess(current) });
      if (step === steps) break;
      const { gradient } = await defence.evaluate(current, Uint32Array.of(label));
      const next = attackStep(current, gradient, original, attack);
      gradient.dispose();
      current.dispose();
      current = next;
      const wait = shown + frameInterval - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  } finally {
    current.dispose();
  }
}
