import type { Wishes } from "../../src/train/iteration/exchange.ts";
import { Trainer } from "../../src/train/trainer.ts";

/**
 * A trainer that loses its parameters once: they become NaN before a given iteration, unless the run has already
 * recovered.
 */
export class PoisonedTrainer extends Trainer {
  /** The iteration before which that happens. */
  poisonedAt = Infinity;

  override async advance(wishes?: (iteration: number) => Wishes): Promise<Wishes> {
    if (this.iteration === this.poisonedAt && this.recovery.attempts.length === 0) {
      const { values } = this.model.parameters;
      values.write(new Float32Array(values.size).fill(NaN));
    }
    return await super.advance(wishes);
  }
}
