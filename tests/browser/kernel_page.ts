/** The page in which Chromium runs the kernels' cases. */

import { run } from "../../src/kernels/mod.ts";
import { kernelCases } from "./kernel_cases.ts";

/** Contents of a case's operands after the run, as words. */
export type Outcome = Readonly<Record<string, readonly number[]>>;

/** Runs a case on a device with the default limits. */
export async function runCase(index: number): Promise<Outcome> {
  const { kernel, shape, operands } = kernelCases[index]!;
  const contents = await run(kernel, shape, operands);
  return Object.fromEntries(
    Object.entries<Float32Array | Uint32Array>(contents).map(([name, { buffer }]) => [
      name,
      [...new Uint32Array(buffer)],
    ]),
  );
}

Object.assign(globalThis, { runCase });
