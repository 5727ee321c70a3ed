import { Gpu } from "../../src/gpu/gpu.ts";
import type { ActivationType } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { preset } from "../../src/train/presets.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { paperAdapter, withAdapter } from "../../tests/paper_adapter.ts";
import { type MemoryPart, memoryParts } from "./memory.ts";
import { noiseLikeCifar10 } from "./noise_dataset.ts";
import { resultsFile } from "./processes.ts";

/** Bytes by part, by how values between layers are stored. */
export type MemoryResults = Readonly<Record<ActivationType, Readonly<Record<MemoryPart, number>>>>;

/** Where they are kept, relative to the project. */
export const memoryResultsFile: string = resultsFile("published-memory");

/**
 * Bytes by use in training with the preset for CIFAR-10: WRN-28-10, batches of 64, 64 and 128, a replay buffer of
 * 10,000.
 * @param activations type of the values between layers
 */
export function publishedMemory(activations: ActivationType): Promise<Record<MemoryPart, number>> {
  return withAdapter(paperAdapter(), async () => {
    const gpu = await Gpu.request();
    const trainer = new Trainer(
      new Context(gpu),
      { ...preset("cifar10"), activations },
      noiseLikeCifar10(50_000),
    );
    trainer.record();
    const parts = memoryParts(gpu, trainer);
    gpu.destroy();
    return parts;
  });
}
