import type { Dataset } from "../../src/data/dataset.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { ActivationType } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { preset } from "../../src/train/presets.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { paperAdapter, withAdapter } from "../../tests/paper_adapter.ts";
import { type MemoryPart, memoryParts } from "./memory.ts";

/** Black images. */
const images = (count: number) => ({
  bytes: new Uint8Array(count * 3072),
  labels: Uint32Array.from({ length: count }, (_, i) => i % 10),
  count,
});

const cifar10: Dataset = {
  name: "black images",
  height: 32,
  width: 32,
  channels: 3,
  maximum: 255,
  classNames: [..."0123456789"],
  train: images(50_000),
  test: images(10),
  augmentation: { padding: 4, flip: true },
};

/**
 * Bytes by part of training by the preset for CIFAR-10: WRN-28-10, batches of 64, 64 and 128, a replay buffer of 10,000.
 * @param activations how values between layers are stored
 */
export function publishedMemory(activations: ActivationType): Promise<Record<MemoryPart, number>> {
  return withAdapter(paperAdapter(), async () => {
    const gpu = await Gpu.request();
    const trainer = new Trainer(new Context(gpu), { ...preset("cifar10"), activations }, cifar10);
    trainer.record();
    const parts = memoryParts(gpu, trainer);
    gpu.destroy();
    return parts;
  });
}
