import { GpuLostError } from "../errors.ts";
import { Watchdog } from "./watchdog.ts";

/** What a device has been asked for, as far as it decides how long the device may take. */
interface Work {
  readonly pipelines: number;
  readonly dispatches: number;
}

/** How long a device gets to report why it has refused something, in milliseconds. */
const reportTime = 100;

/** Whether a device is well: what it has reported, and whether it answers. */
export class DeviceHealth {
  /** Watches the waits for the device. */
  readonly watchdog = new Watchdog();
  readonly #device: GPUDevice;
  readonly #work: Work;
  #failure: GpuLostError | undefined;
  #isSilent = false;
  #isLeft = false;
  /** What had been asked for by the last wait. */
  #waited: Work = { pipelines: 0, dispatches: 0 };

  /** @param work keeps counting while the device is used */
  constructor(device: GPUDevice, work: Work) {
    this.#device = device;
    this.#work = work;
    device.addEventListener("uncapturederror", (event) => {
      // The error is reported below, so an implementation need not print it too.
      event.preventDefault();
      const { error } = event as GPUUncapturedErrorEvent;
      this.fail(`the GPU reported an error: ${error.message.trim().replaceAll(/\s+/g, " ")}`);
    });
    void device.lost.then((info) => {
      if (!this.#isLeft) this.fail(`the GPU device was lost: ${info.message || info.reason}`);
    });
  }

  /** Whether the device did not answer in time. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Notes that the device is about to be destroyed. Losing it then is no failure. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Notes a failure, and returns the first one that was noted. */
  fail(message: string): GpuLostError {
    return this.#failure ??= new GpuLostError(message);
  }

  /** @throws {GpuLostError} the first error that the device has reported. */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  /** The device's failure, if that explains why something else failed. WebGPU reports it a little later. */
  async lossBehind(error: unknown): Promise<GpuLostError | undefined> {
    if (error instanceof GpuLostError) return error;
    await Promise.race([
      this.#device.lost,
      new Promise((resolve) => setTimeout(resolve, reportTime)),
    ]);
    return this.#failure;
  }

  /**
   * Waits for the device, but not for ever.
   * @throws {GpuLostError} if it does not answer.
   */
  async watched(begin: () => Promise<unknown>): Promise<void> {
    const { pipelines, dispatches } = this.#work;
    const began = performance.now();
    const ended = await this.watchdog.watch(() => begin().then(() => true), {
      dispatches: dispatches - this.#waited.dispatches,
      compiles: pipelines > this.#waited.pipelines,
    });
    this.#waited = { pipelines, dispatches };
    if (ended) return;
    this.#isSilent = true;
    throw this.fail(`the GPU has not answered for ${Math.round((performance.now() - began) / 1000)} s`);
  }
}
