import { UsageError } from "../../src/cli/command.ts";

const largestPort = 65535;

/**
 * The port given by `--port`.
 * @throws {UsageError} if it is not one.
 */
export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= largestPort) return port;
  throw new UsageError(`--port takes a whole number up to ${largestPort}, not "${text}"`);
}
