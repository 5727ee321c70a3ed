import { GpuError, GpuLostError } from "../../errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";

/**
 * Pauses before the GPU is opened again, in milliseconds. Their number is how often that happens without progress of
 * the work.
 */
const pauses = [1_000, 10_000, 60_000];

/** Work on a GPU that may be lost. */
export interface LosableWork<Result> {
  /** The GPU to start on, if it is open already. */
  readonly gpu?: Gpu;
  /** Opens the GPU. */
  open(): Promise<Gpu>;
  /** Does the work, or the rest of it. */
  work(gpu: Gpu): Promise<Result>;
  /** How far the work has come: a number that grows. */
  reached(): number;
  /** Takes a line about each loss. */
  tell(line: string): void;
  /** Waits for a number of milliseconds. */
  pause?(milliseconds: number): Promise<void>;
}

/**
 * Does work on a GPU, and opens the GPU again when it is lost: by a reset of its driver, a sleep, or an error that it
 * reported.
 * @throws {GpuError} if it cannot be opened the first time.
 * @throws {GpuLostError} if it was opened again three times without progress of the work.
 */
export async function acrossLosses<Result>(
  { gpu: first, open, work, reached, tell, pause = delay }: LosableWork<Result>,
): Promise<Result> {
  let gpu: Gpu | undefined = first ?? await open();
  let attempts = 0;
  let furthest = -Infinity;
  for (;;) {
    try {
      gpu ??= await open();
      return await workOn(gpu, work);
    } catch (error) {
      const refused = gpu === undefined && error instanceof GpuError;
      if (!(error instanceof GpuLostError || refused)) throw error;
      gpu = undefined;
      if (reached() > furthest) [furthest, attempts] = [reached(), 0];
      if (attempts === pauses.length) {
        throw new GpuLostError(`${error.message}; opening the GPU again ${attempts} times was of no use`);
      }
      tell(`warning: ${error.message}; opening the GPU again (${attempts + 1} of ${pauses.length})`);
      await pause(pauses[attempts++]!);
    }
  }
}

/** @throws {GpuLostError} instead of whatever error the lost GPU causes. */
async function workOn<Result>(gpu: Gpu, work: (gpu: Gpu) => Promise<Result>): Promise<Result> {
  try {
    return await work(gpu);
  } catch (error) {
    throw await gpu.lossBehind(error) ?? error;
  } finally {
    gpu.destroy();
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
