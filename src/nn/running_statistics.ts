import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Elements between two layers' statistics, so that each can be bound. */
const alignment = 64;

/** One batch norm layer's place in the flat vector of running statistics. */
export interface RunningStatisticsEntry {
  /** The layer's official name, for example `f.layer1.0.bn1`. */
  readonly name: string;
  readonly channels: number;
  /** First element of the mean; the variance follows it. */
  readonly offset: number;
}

/** Running means and variances of all batch norm layers in one flat vector. */
export class RunningStatistics {
  readonly #entries: RunningStatisticsEntry[] = [];
  #length = 0;
  #values: Tensor | undefined;
  /** How many batches each layer has normalised in training, PyTorch's `num_batches_tracked`. */
  batchesTracked = 0;

  /** Reserves a layer's place. The returned function gives its `[2, C]` view once {@link allocate} has run. */
  declare(name: string, channels: number): () => Tensor {
    const offset = this.#length;
    this.#entries.push({ name, channels, offset });
    this.#length += Math.ceil(2 * channels / alignment) * alignment;
    let view: Tensor | undefined;
    return () => view ??= this.#allocated().slice(offset, [2, channels]).disown();
  }

  /** Allocates the vector: means 0, variances 1. */
  allocate(context: Context): void {
    const initial = new Float32Array(Math.max(this.#length, 1));
    for (const { offset, channels } of this.#entries) {
      initial.fill(1, offset + channels, offset + 2 * channels);
    }
    this.#values = context.from(initial, [initial.length]).disown();
  }

  /** All layers in the order of declaration. */
  get entries(): readonly RunningStatisticsEntry[] {
    return this.#entries;
  }

  /** The flat vector. */
  get values(): Tensor {
    return this.#allocated();
  }

  #allocated(): Tensor {
    if (!this.#values) throw new Error("the running statistics have not been allocated");
    return this.#values;
  }
}
