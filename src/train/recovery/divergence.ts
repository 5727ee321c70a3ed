import { DivergenceError } from "../../errors.ts";

/** What raised the divergence flag on the GPU. */
export interface Divergence {
  readonly iteration: number;
  /** The likelihood term and the loss; at least one is not finite or too large. */
  readonly likelihood: number;
  readonly loss: number;
}

/** A divergence as an error, for runs that do not recover. */
export function divergenceError({ iteration, likelihood, loss }: Divergence): DivergenceError {
  return new DivergenceError(
    `training diverged at iteration ${iteration}: likelihood term ${likelihood}, loss ${loss}`,
  );
}
