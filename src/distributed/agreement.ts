import { ConfigurationError } from "../errors.ts";
import type { Communicator } from "./communicator.ts";
import { shareValue } from "./share.ts";

/** What the ranks of a job must have in common, by its name, each as text that is equal where the thing is. */
export type Common = Readonly<Record<string, string>>;

/** Longest text that is shown of a difference. */
const longestShown = 200;

/**
 * Checks that all ranks have the same in common.
 * @throws {ConfigurationError} on all ranks, naming the first rank that differs from rank 0, in what, and how.
 */
export async function requireAgreement(communicator: Communicator, common: Common): Promise<void> {
  if (communicator.size === 1) return;
  const gathered = await communicator.gather(new TextEncoder().encode(JSON.stringify(common)));
  const all = gathered?.map((bytes): Common => JSON.parse(new TextDecoder().decode(bytes)));
  const difference = await shareValue(communicator, all && differenceOf(all));
  if (difference) throw new ConfigurationError(difference);
}

function differenceOf([first, ...others]: readonly Common[]): string | null {
  for (const [i, other] of others.entries()) {
    for (const [name, text] of Object.entries(first!)) {
      if (other[name] === text) continue;
      return `rank ${i + 1}: other ${name} than rank 0: ${shown(other[name])}, not ${shown(text)}`;
    }
  }
  return null;
}

function shown(text = "none"): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
