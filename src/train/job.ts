import { type Facts, requireAgreement } from "../distributed/agreement.ts";
import type { Dataset } from "../data/dataset.ts";
import { describeData } from "../data/description.ts";
import { crc32Text } from "../formats/archives/crc32.ts";
import { bytesOf } from "../formats/bytes.ts";
import type { Plan } from "../gpu/plan.ts";
import type { Configuration } from "./configuration.ts";
import type { Trainer } from "./trainer.ts";

/**
 * Checks that the processes of a job train one model on the same data in the same way. Their sums would be meaningless
 * otherwise.
 * @throws {ConfigurationError} on all of them, naming a rank that differs from rank 0, where, and how.
 */
export async function requireSameJob(
  trainer: Trainer,
  configuration: Configuration,
  dataset: Dataset,
): Promise<void> {
  const { communicator, iteration, model } = trainer;
  if (communicator.size === 1) return;
  // The data may be in different places on different hosts.
  const { dataFolder: _, ...options } = configuration;
  await requireAgreement(
    communicator,
    {
      configuration: options,
      data: { ...describeData(dataset), labels: crc32Text(bytesOf(Uint32Array.from(dataset.train.labels))) },
      adapter: { name: model.context.gpu.adapterName },
      kernels: { checksum: crc32Text(new TextEncoder().encode(programs(trainer.record()))) },
      state: { iteration, parameters: crc32Text(bytesOf(await model.parameters.values.read())) },
    } satisfies Record<string, Facts>,
  );
}

/** What a plan runs, in words. */
function programs({ commands }: Plan): string {
  return commands.map((command) => {
    if (command.kind !== "dispatch") return command.kind;
    const { name, entryPoint, constants } = command.program;
    return [name, entryPoint, JSON.stringify(constants), command.workgroups].join(" ");
  }).join("\n");
}
