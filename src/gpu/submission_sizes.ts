/** Fewer commands than this go out in one submission; more are split into at most {@link fewSubmissions}. */
const commandsPerSubmission = 256;
/** Splitting a long plan lets the device start early. */
const fewSubmissions = 3;
/** Commands of a submission while their time is unknown, and the fewest that can tell it. */
const commandsAtFirst = 64;
/** Commands of a submission at most: its host memory is a few kilobytes a command. */
const mostCommands = 2 ** 14;
/** Milliseconds that a submission may take. Drivers reset a device after 2 to 10 s on one submission. */
const longestSubmission = 1000;
/** Commands by which the host may be ahead of the device. They hold memory until they are done. */
const mostAhead = 2 ** 15;

/**
 * Decides how many commands go out in one submission, so that a driver's watchdog does not notice any of them, even on
 * a slow device, and how far the host may run ahead. It learns from waits how long a command takes.
 */
export class SubmissionSizes {
  readonly #tried = new WeakSet<object>();
  #millisecondsPerCommand: number | undefined;
  #began = 0;
  #ahead = 0;

  /** @param now the time in milliseconds */
  constructor(readonly now: () => number = () => performance.now()) {}

  /**
   * Commands in each submission of a plan, given the plan's number of commands. The last may have fewer.
   * @param untried whether their time is unknown
   */
  of(commands: number, untried: boolean = false): number {
    if (untried) return commandsAtFirst;
    const few = Math.max(commandsPerSubmission, Math.ceil(commands / fewSubmissions));
    const short = longestSubmission / (this.#millisecondsPerCommand ?? 0);
    return Math.max(1, Math.floor(Math.min(few, short, mostCommands)));
  }

  /** Notes that a number of commands have been submitted. */
  submitted(commands: number): void {
    if (this.#ahead === 0) this.#began = this.now();
    this.#ahead += commands;
  }

  /** Whether the host should wait for the device before it submits more. */
  get isAhead(): boolean {
    return this.#ahead >= mostAhead;
  }

  /** Notes that all submitted work is done. */
  waited(): void {
    if (this.#ahead >= commandsAtFirst) {
      this.#millisecondsPerCommand = (this.now() - this.#began) / this.#ahead;
    }
    this.#ahead = 0;
  }

  /** Whether a plan is new. Its time is unknown then, and learning it is worth a wait. */
  isUntried(plan: object): boolean {
    const untried = !this.#tried.has(plan);
    this.#tried.add(plan);
    return untried;
  }
}
