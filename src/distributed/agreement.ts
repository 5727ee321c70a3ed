import { ConfigurationError } from "../errors.ts";
import type { Communicator } from "./communicator.ts";
import { shareValue } from "./share.ts";

/** Facts about something, as JSON keeps them. */
export type Facts = Readonly<Record<string, unknown>>;

/** What all ranks of a job must agree on, by name. */
export type Common = Readonly<Record<string, Facts>>;

/**
 * Checks that all ranks agree.
 * @throws {ConfigurationError} on all ranks, naming the first rank that differs from rank 0, where, and how.
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
    for (const [name, facts] of Object.entries(first!)) {
      for (const fact of Object.keys({ ...facts, ...other[name] })) {
        const [here, there] = [shown(facts[fact]), shown(other[name]?.[fact])];
        if (here === there) continue;
        return `rank ${i + 1}: other ${name} than rank 0: ${fact} is ${there}, not ${here}`;
      }
    }
  }
  return null;
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? "unknown";
}
